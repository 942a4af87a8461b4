"""Where the commands of ``morphml workflow`` find executions: in a store, or at a master."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import typer

from morphml.cli.exit_codes import ExitCode
from morphml.cli.running import terminable
from morphml.cli.screen import messages, results, write_json
from morphml.cli.workflow_code import code_of
from morphml.cli.workflow_running import Hands, follow, print_end
from morphml.errors import WorkflowError
from morphml.evaluation.bundle import Bundle
from morphml.master.workflows import (
    ExecutionEvent,
    Executions,
    ExecutionView,
    JobView,
    LogLine,
    Page,
)
from morphml.optimizers.events import JSON
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.storage.address import is_url
from morphml.workflow import ExecutionState, Workflow


class Reached(Protocol):
    """Executions, wherever they are."""

    def start(self, document: Mapping[str, JSON], *, key: str | None = None) -> ExecutionView:
        """Begin to execute a workflow; returns at once."""
        ...

    def show(self, id: str) -> ExecutionView:
        """An execution."""
        ...

    def list(self, *, limit: int = 50) -> Page[ExecutionView]:
        """Executions, newest first."""
        ...

    def jobs(self, id: str) -> Sequence[JobView]:
        """Its jobs, in order."""
        ...

    def events(self, id: str, after: int = 0) -> Sequence[ExecutionEvent]:
        """What happened after that sequence number."""
        ...

    def logs(self, id: str, job: str, after: int = 0) -> Sequence[LogLine]:
        """What a job wrote after that sequence number."""
        ...

    def pause(self, id: str) -> ExecutionView:
        """Begin no job."""
        ...

    def resume(self, id: str) -> ExecutionView:
        """Go on, or take up."""
        ...

    def cancel(self, id: str) -> ExecutionView:
        """Give it up."""
        ...

    def retry(self, id: str, job: str | None = None) -> ExecutionView:
        """Run a job again."""
        ...


#: Seconds between two looks at an execution over the network.
REMOTE_LOOK_S = 1.0
#: Stands for the newest execution.
NEWEST = "newest"


class Place:
    """Executions at one place.

    Args:
        executions: what is there.
        storage: how people call the place.
        store: the store, where there is no master between.
        send: lets whoever runs jobs there have a bundle of source.
    """

    def __init__(
        self,
        executions: Reached,
        storage: str,
        store: SqlStore | None,
        send: Callable[[Bundle], None],
    ) -> None:
        self.executions = executions
        self._storage = storage
        self._store = store
        self._send = send

    def code_for(self, workflow: Workflow) -> Mapping[str, JSON]:
        """What is to be added to a workflow's document so that its code goes along.

        Nothing where this process runs the jobs, or the document says itself where the code is.

        Raises:
            StorageError: when it cannot be stored.
            CallerError: when it cannot be sent, or is refused.
        """
        code = None if workflow.source or self._runs_alone else code_of(workflow)
        if code is None:
            return {}
        self._send(code)
        return {"source": code.digest}

    @property
    def _runs_alone(self) -> bool:
        """Whether nobody but this process will run what begins now."""
        store = self._store
        return store is not None and not is_url(self._storage) and not store.cluster.masters()

    def execution(self, id: str | None) -> ExecutionView:
        """The execution of that id; the newest for None and ``newest``.

        Raises:
            WorkflowError: when there is none.
        """
        if id not in (None, NEWEST):
            assert id is not None
            return self.executions.show(id)
        found = self.executions.list(limit=1).items
        if not found:
            raise WorkflowError(f"{self._storage}: holds no execution of a workflow")
        return found[0]

    def act(self, what: str, id: str) -> ExecutionView:
        """Pause or cancel an execution.

        Raises:
            WorkflowError: when its state does not allow it.
        """
        return self.executions.pause(id) if what == "pause" else self.executions.cancel(id)

    def take_up(self, found: ExecutionView) -> None:
        """Go on with an execution; one that runs needs only somebody who runs it.

        Raises:
            WorkflowError: when there is nothing to go on with.
        """
        if found.state not in (ExecutionState.RUNNING, ExecutionState.FAILING):
            self.executions.resume(found.id)

    def carry_out(self, id: str, *, slots: int | None, as_json: bool, quiet: bool) -> None:
        """See an execution to its end, with a master in this process where none is there.

        Raises:
            typer.Exit: with status 1 when it did not complete.
            KeyboardInterrupt: on Ctrl-C and SIGTERM.
        """
        with terminable():
            if self._store is None:
                with self._watching(lambda: False):
                    follow(self.executions, id, _nothing, every_s=REMOTE_LOOK_S, quiet=quiet)
            else:
                hands = Hands(self._store, self._storage, slots)
                with hands, self._watching(lambda: hands.here):
                    follow(self.executions, id, hands.look, quiet=quiet)
        print_end(self.executions, id, storage=self._storage, as_json=as_json)

    @contextmanager
    def _watching(self, is_here: Callable[[], bool]) -> Iterator[None]:
        """Within it Ctrl-C ends the watching only, where others run the execution."""
        try:
            yield
        except KeyboardInterrupt:
            if is_here():
                raise
            hint = f"it goes on; look with: morphml workflow status {self._storage}"
            messages().print(hint, markup=False)
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def _nothing() -> None:
    """A master at the other end sees to it."""


@contextmanager
def at(storage: str, *, create: bool = False) -> Iterator[Place]:
    """The executions of a store, or of a master where its address begins with ``http``.

    Args:
        storage: which.
        create: make a file that is not there.

    Raises:
        StorageError: when there is no such store.
        AccessError: when there is no token for the master.
        MissingExtraError: when the extra ``client`` is not installed.
    """
    if storage.startswith(("http://", "https://")):
        # httpx takes a while to import, and only this needs it.
        from morphml.cli.workflow_remote import RemoteExecutions  # noqa: PLC0415
        from morphml.client import Client  # noqa: PLC0415

        with Client(storage) as client:
            remote = RemoteExecutions(client)
            yield Place(remote, storage, None, remote.send)
        return
    store = open_store(storage, StoreOptions(), create=create)
    try:
        yield Place(
            Executions(store),
            storage,
            store,
            lambda code: store.bundles.put(code.digest, [code.data]),
        )
    finally:
        store.close()


def print_log(executions: Reached, id: str, job: str, *, as_json: bool) -> None:
    """Print all that a job wrote; what is not from stdout goes to standard error.

    Raises:
        WorkflowError: when there is no such job.
    """
    after, document = 0, []
    while lines := executions.logs(id, job, after):
        after = lines[-1].seq
        for line in lines:
            if as_json:
                document.append({"at": line.at, "stream": line.stream, "text": line.text})
            else:
                console = messages() if line.stream == "stderr" else results()
                console.out(line.text, end="", highlight=False)
    if as_json:
        write_json(document)
