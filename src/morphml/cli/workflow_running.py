"""Runs executions on this machine where no master does, and shows how they go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, TypeAlias

import typer
from rich.console import Console
from rich.live import Live

from morphml.cli.exit_codes import ExitCode
from morphml.cli.screen import messages, results, write_json
from morphml.cli.workflow_views import document_of, event_line, execution_view, live_view
from morphml.errors import StoreInUse
from morphml.master.workflows import ExecutionEvent, ExecutionView, JobView
from morphml.storage import SqlStore
from morphml.workflow import ExecutionState

#: Seconds between two looks.
LOOK_EVERY_S = 0.25

#: Shows one moment: the execution, its jobs, and what happened since the moment before.
Shown: TypeAlias = Callable[[ExecutionView, Sequence[JobView], Sequence[ExecutionEvent]], None]


class Watched(Protocol):
    """Where an execution can be watched: a store, or a master over REST."""

    def show(self, id: str) -> ExecutionView:
        """An execution."""
        ...

    def jobs(self, id: str) -> Sequence[JobView]:
        """Its jobs, in order."""
        ...

    def events(self, id: str, after: int = 0) -> Sequence[ExecutionEvent]:
        """What happened after that sequence number."""
        ...


def follow(
    executions: Watched, id: str, *, storage: str, as_json: bool, quiet: bool, paused: bool = True
) -> None:
    """Show an execution until it is over.

    Args:
        executions: where it is stored.
        id: of the execution.
        storage: where it is, for people.
        as_json: print a document at the end.
        quiet: show nothing meanwhile.
        paused: go on watching one that somebody has paused.

    Raises:
        typer.Exit: with status 1 when it did not complete.
        KeyboardInterrupt: on Ctrl-C.
    """
    pause, seen = threading.Event(), 0
    with _shown(quiet=quiet) as show:
        while True:
            found = executions.show(id)
            events = executions.events(id, seen) if found.seq > seen else ()
            seen = max((each.seq for each in events), default=seen)
            jobs = executions.jobs(id)
            show(found, jobs, events)
            if found.state.ended or (found.state is ExecutionState.PAUSED and not paused):
                break
            pause.wait(LOOK_EVERY_S)
    if as_json:
        write_json(document_of(found, jobs))
    else:
        results().print(execution_view(found, jobs))
        if found.state is ExecutionState.FAILED:
            hint = f"take it up again with: morphml workflow resume {storage} {id}"
            messages().print(hint, markup=False)
    if found.state is not ExecutionState.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)


@contextmanager
def driven(store: SqlStore, storage: str, slots: int | None) -> Iterator[None]:
    """Within it somebody runs what is stored: the masters there are, or one in this process.

    Raises:
        StorageError: when the store cannot be opened.
    """
    with ExitStack() as stack:
        if not any(master.address for master in store.cluster.masters()):
            try:
                stack.enter_context(_alone(storage, slots))
            except StoreInUse:
                messages().print(
                    "another process runs what is in this store; its progress is shown",
                    markup=False,
                )
        yield


def _alone(storage: str, slots: int | None) -> AbstractContextManager[object]:
    # gRPC takes a second to import; not needed where a master is there.
    from morphml.master.cluster.alone import master_alone  # noqa: PLC0415

    return master_alone(storage, slots)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Shown]:
    console = messages()
    if quiet:
        yield lambda found, jobs, events: None
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda found, jobs, events: live.update(
                live_view(found, jobs, time.time()), refresh=True
            )
    else:
        yield _line_writer(console)


def _line_writer(console: Console) -> Shown:
    def write(
        found: ExecutionView, jobs: Sequence[JobView], events: Sequence[ExecutionEvent]
    ) -> None:
        by_name = {each.id: each for each in jobs}
        for event in events:
            console.print(f"{found.id}: {event_line(event, by_name)}", markup=False)

    return write
