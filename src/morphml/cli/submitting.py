"""Makes an experiment of a file, leaves it to masters, and follows it; imports the store."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer

from morphml.cli.exit_codes import ExitCode
from morphml.cli.experiment_file import read_experiment
from morphml.cli.running import print_outcome, progress_shown
from morphml.cli.screen import messages, results, write_json
from morphml.errors import ExperimentError, StorageError
from morphml.master import Experiment
from morphml.master.described import evaluator_of, options_of, space_of
from morphml.master.resources import missing_on
from morphml.search.experiment import ExperimentState
from morphml.storage.address import without_password
from morphml.storage.opening import schema_version

#: Seconds that a master which was started a moment ago has to make its store.
MADE_WITHIN_S = 5.0
#: Seconds between two looks for it.
LOOK_EVERY_S = 0.1


@contextmanager
def submitted(
    file: Path,
    storage: str | None,
    changes: Mapping[str, object],
    *,
    strict: bool = False,
    create: bool = False,
) -> Iterator[tuple[Experiment, str]]:
    """The experiment of a file, left to the masters, and the store as it may be shown.

    Args:
        file: the experiment file.
        storage: the store; by default what the file says.
        changes: options that go before what the file says; None for what was not said.
        strict: refuse it where no worker that is there can run its trials.
        create: make the store where there is none; masters would not look for it there by chance.

    Raises:
        ExperimentError: when the file is wrong or names no store, or the evaluator cannot travel.
        StorageError: when there is no such store, or it cannot be opened.
    """
    given = read_experiment(file)
    kept = storage or given.storage
    if kept is None or kept == "memory":
        raise ExperimentError(
            "submit needs the store that the masters share: --storage postgresql://..., or "
            "`storage:` in the file"
        )
    if not create:
        _refuse_where_no_store_is(kept)
    options = options_of(given, changes)
    options.setdefault("name", file.stem)
    with Experiment.create(
        space_of(given), evaluator_of(given), storage=kept, engine="remote", **options
    ) as experiment:
        with _warnings_as_lines():
            experiment.submit(strict=strict)
        yield experiment, without_password(kept)


def submit_again(experiment: Experiment, *, storage: str, as_json: bool) -> None:
    """Leave an experiment that was stopped to the masters of its store, and say so.

    Raises:
        ExperimentError: when it runs already, is completed, or was made for this machine only.
    """
    with _warnings_as_lines():
        experiment.submit()
    tell(experiment, storage=without_password(storage), as_json=as_json)


def tell(experiment: Experiment, *, storage: str, as_json: bool) -> None:
    """What was left to the masters, and how to see it."""
    record = experiment.record
    if as_json:
        lacks = missing_on(experiment.store.cluster.workers.all(), experiment.spec.resources)
        shown = {"storage": storage, "experiment": record.id, "name": record.name}
        waits = {"waits_for": [str(lack) for lack in lacks]}
        write_json(shown | {"state": record.state.value} | waits)
        return
    text = f"submitted {record.name} ({record.id}); see it with: morphml status {storage}"
    results().print(text, markup=False, soft_wrap=True)


def follow(experiment: Experiment, *, storage: str, as_json: bool, quiet: bool) -> None:
    """Show progress until it is over, then what was found.

    Raises:
        typer.Exit: with status 1 when no trial has a result, as after a search on this machine, and
            with that of a search that was stopped when it was paused.
    """
    try:
        with progress_shown(quiet=quiet) as observer, _warnings_as_lines():
            result = experiment.watch(observer)
    except KeyboardInterrupt as error:
        text = f"Nobody watches any more; the masters go on with experiment {experiment.id}."
        messages().print(text, markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    except ExperimentError as error:
        if experiment.record.state is not ExperimentState.PAUSED:
            raise
        messages().print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    print_outcome(result, storage, as_json=as_json)


def _refuse_where_no_store_is(storage: str) -> None:
    """A store that masters serve is there, or soon will be; else its name is mistyped.

    Raises:
        StorageError: when there is none, or it cannot be looked at.
    """
    given_up_at = time.monotonic() + MADE_WITHIN_S
    while (absent := schema_version(storage) is None) and time.monotonic() < given_up_at:
        time.sleep(LOOK_EVERY_S)
    if absent:
        shown = without_password(storage)
        raise StorageError(
            f"{shown}: there is no store, so no master serves it; check the name, or make it with "
            f"`morphml master --storage {shown}`"
        )


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Within it a warning is one line for people, without the place in the code."""

    def tell(message: Warning | str, *place: object, **more: object) -> None:
        messages().print(str(message), style="yellow", markup=False, soft_wrap=True)

    with warnings.catch_warnings():
        warnings.showwarning = tell
        yield
