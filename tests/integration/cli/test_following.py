"""How a command ends that watches an experiment of the masters."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import morphml as mm
from morphml.cli.exit_codes import ExitCode
from morphml.cli.submitting import follow
from morphml.master import Experiment
from morphml.search.experiment import ExperimentState
from morphml.testing.store_contract import DriverScript

SPACE = mm.SearchSpace(decisions={"x": mm.integer(0, 9)})


def watched(path: Path, end: Callable[[Experiment], object]) -> tuple[int, str]:
    """The exit status of who watches an experiment that ended so, and what was printed."""
    printed = io.StringIO()
    with Experiment.create(
        SPACE,
        "morphml.testing.engine_evaluators:score",
        storage=path,
        engine="remote",
        objectives={"score": "max"},
    ) as experiment:
        experiment.submit()
        end(experiment)
        with contextlib.redirect_stdout(printed), pytest.raises(typer.Exit) as caught:
            follow(experiment, storage=str(path), as_json=True, quiet=True)
    return caught.value.exit_code, printed.getvalue()


def test_watched_experiment_that_failed_ends_as_a_search_of_this_machine_does(
    tmp_path: Path,
) -> None:
    def fail(experiment: Experiment) -> None:
        driver = DriverScript(experiment.store, experiment.id, experiment.store.open_session("one"))
        driver.finish(ExperimentState.FAILED)

    code, printed = watched(tmp_path / "a.db", fail)
    assert code == ExitCode.FAILED
    document = json.loads(printed)
    assert (document["state"], document["best"]) == ("failed", None)


def test_watched_experiment_that_was_stopped_ends_as_a_stopped_search_does(
    tmp_path: Path,
) -> None:
    def stop(experiment: Experiment) -> None:
        experiment.store.set_state(experiment.id, ExperimentState.PAUSED, "stopped on request")

    assert watched(tmp_path / "a.db", stop) == (ExitCode.INTERRUPTED, "")
