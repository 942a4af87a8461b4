"""A search whose trials run at three workers at once, from its submission to what is stored."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, Workers
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site

import morphml as mm
from morphml.search.experiment import ExperimentState

TRIALS = 4


def made(site: Site, workers: int) -> mm.Experiment:
    """An experiment that is not yet submitted."""
    return mm.Experiment.create(
        SPACE,
        "gang_evaluators:talking",
        storage=site.storage,
        engine="remote",
        optimizer="random",
        trials=TRIALS,
        objectives={"score": "max"},
        resources={"workers": workers},
    )


def test_each_trial_runs_at_three_workers_and_is_stored_once(
    alone: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    master = alone.master("only")
    workers = Workers(tmp_path)
    started = [workers.start(master.port, slots=1) for _ in range(3)]
    try:
        eventually(lambda: len(alone.store.cluster.workers.all()) == 3, LONG_S, "all workers")
        with made(alone, 4) as too_large:
            with pytest.warns(mm.InfeasibleWarning, match="4 workers at once, and 3 could take"):
                too_large.submit()
            too_large.stop()
        with made(alone, 3) as experiment:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                experiment.submit(strict=True)
            alone.await_state(experiment.id, ExperimentState.COMPLETED)
            ranked = experiment.result().ranked()
    finally:
        for worker in started:
            worker.process.kill()
            worker.wait()
    ran = Counter((line[0], line[2]) for worker in started for line in worker.lines("began"))
    assert ran == Counter((str(n), str(r)) for n in range(TRIALS) for r in range(3))
    assert sorted(each.number for each in alone.attempts(experiment.id)) == list(range(TRIALS))
    assert [trial.metrics["score"] for trial in ranked] == [3.0] * TRIALS
