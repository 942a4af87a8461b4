"""Runs executions on this machine where no master does, and shows how they go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

import typer
from rich.console import Console
from rich.live import Live

from morphml.cli.exit_codes import ExitCode
from morphml.cli.remote_extra import need_remote
from morphml.cli.screen import messages, results, write_json
from morphml.cli.workflow_views import document_of, event_line, execution_view, live_view
from morphml.errors import StoreInUse
from morphml.master.workflows import ExecutionEvent, ExecutionView, JobView
from morphml.storage import SqlStore
from morphml.storage.address import is_url
from morphml.workflow import ExecutionState

if TYPE_CHECKING:
    from morphml.master.cluster.master import Master

#: Seconds between two looks.
LOOK_EVERY_S = 0.25
#: Seconds between two looks for somebody who runs what is stored.
_LOOK_FOR_MASTERS_S = 2.0

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
    executions: Watched,
    id: str,
    look: Callable[[], None],
    *,
    quiet: bool,
    every_s: float = LOOK_EVERY_S,
) -> None:
    """Show an execution until it is over.

    Args:
        executions: where it is stored.
        id: of the execution.
        look: called before each look; sees to it that somebody runs it.
        quiet: show nothing meanwhile.
        every_s: seconds between two looks.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    pause, seen = threading.Event(), 0
    with _shown(quiet=quiet) as show:
        while True:
            look()
            found = executions.show(id)
            events = executions.events(id, seen) if found.seq > seen else ()
            seen = max((each.seq for each in events), default=seen)
            jobs = executions.jobs(id)
            show(found, jobs, events)
            if found.state.ended:
                return
            pause.wait(every_s)


def print_end(executions: Watched, id: str, *, storage: str, as_json: bool) -> None:
    """Print what became of an execution.

    Raises:
        typer.Exit: with status 1 when it did not complete.
    """
    found, jobs = executions.show(id), executions.jobs(id)
    if as_json:
        write_json(document_of(found, jobs))
    else:
        results().print(execution_view(found, jobs))
        if found.state is ExecutionState.FAILED:
            hint = f"take it up again with: morphml workflow resume {storage} {id}"
            messages().print(hint, markup=False)
    if found.state is not ExecutionState.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)


class Hands:
    """Who runs what is stored: the masters there are, or one in this process; a context manager.

    Args:
        store: where it is stored.
        storage: the store's address.
        slots: jobs at a time, where this process runs them.
    """

    def __init__(self, store: SqlStore, storage: str, slots: int | None) -> None:
        self._store = store
        self._storage = storage
        self._slots = slots
        self._stack = ExitStack()
        self._master: Master | None = None
        self._look_at = 0.0

    @property
    def here(self) -> bool:
        """Whether it is this process."""
        return self._master is not None

    def look(self) -> None:
        """Begin to run it here as soon as nobody else does; called now and then.

        Raises:
            StorageError: when the store cannot be opened.
            BaseException: what ended the master of this process.
        """
        if self._master is not None:
            self._master.wait(0.0)
        elif time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_FOR_MASTERS_S
            self._begin()

    def _begin(self) -> None:
        if is_url(self._storage) and self._store.cluster.masters():
            return
        need_remote("workflow run")
        # gRPC takes a second to import; not needed where a master is there.
        from morphml.master.cluster.alone import master_alone  # noqa: PLC0415

        with suppress(StoreInUse):  # another process has the file: it runs what is there
            self._master = self._stack.enter_context(master_alone(self._storage, self._slots))

    def __enter__(self) -> Self:
        """Nothing yet."""
        return self

    def __exit__(self, *error: object) -> None:
        """What runs here is ended and handed back."""
        self._stack.close()


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
            console.print(f"{found.id}: {event_line(event, by_name)}", markup=False, soft_wrap=True)

    return write
