"""What ``search`` and ``resume`` share: drive an experiment under a live view and show the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

import typer

from morphml.cli.exit_codes import ExitCode
from morphml.cli.outcome import result_document, result_view
from morphml.cli.screen import messages, results, write_json
from morphml.master import Experiment, Result
from morphml.search.progress import Observer, Progress
from morphml.visualization.progress import progress_view


def drive(
    experiment: Experiment,
    *,
    storage: str,
    workers: int | None,
    engine: str,
    as_json: bool,
    quiet: bool,
) -> Result:
    """Run ``experiment`` to its end and print what was found.

    Raises:
        typer.Exit: with status 1 when no trial has a result.
        KeyboardInterrupt: on Ctrl-C and SIGTERM.
    """
    with terminable(), progress_shown(quiet=quiet) as observer:
        result = experiment.run(workers, observer, engine)
    print_outcome(result, storage, as_json=as_json)
    return result


def progress_shown(*, quiet: bool) -> AbstractContextManager[Observer]:
    """A live view of a search; nothing is shown where people asked for quiet."""
    return nullcontext(_nobody) if quiet else progress_view(messages())


def print_outcome(result: Result, storage: str, *, as_json: bool) -> None:
    """Print what a search found.

    Raises:
        typer.Exit: with status 1 when no trial has a result.
    """
    if as_json:
        write_json(result_document(result, storage))
    else:
        results().print(result_view(result, storage))
    if not result.ranked():
        raise typer.Exit(ExitCode.FAILED)


@contextmanager
def terminable() -> Iterator[None]:
    """Within it SIGTERM stops as cleanly as Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _nobody(progress: Progress) -> None:
    """Show nothing."""
