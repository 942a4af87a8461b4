"""Jobs at one master: claimed ones go to its workers, and what became of them goes to the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from morphml.engines.port import (
    Checkpointed,
    EngineEvent,
    Finished,
    Logged,
    Returned,
    Succeeded,
)
from morphml.engines.remote.hub import Hub
from morphml.engines.remote.messages import AttemptName
from morphml.errors import MorphError, StoreUnavailable
from morphml.ids import AttemptToken, ExecutionId, ExperimentId
from morphml.master.cluster.backlog import Backlog
from morphml.master.cluster.held import adopt_refused, give_back, is_without_worker
from morphml.master.session import MasterLife
from morphml.master.workflows.attempts import assignment_of, job_end
from morphml.master.workflows.checkpoints import JobCheckpoints
from morphml.search.changes import ClaimedTask
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic

log = logging.getLogger(__name__)

#: Seconds for which output waits for more of it, unless an end comes.
MORE_OUTPUT_S = 0.2
#: Seconds for which an end waits for others, which are stored with it.
MORE_ENDS_S = 0.005
#: The same where jobs lie at workers already.
MORE_AHEAD_S = 0.02

#: What all jobs together are called among experiments that want slots.
JOBS = ExperimentId("jobs")

_Entry: TypeAlias = tuple[AttemptName, Finished | Logged]


class JobDesk:
    """Runs jobs of executions on the workers of one master. Thread-safe.

    Nothing is acknowledged to a worker before it is stored. While the store is away ends wait here,
    and the worker keeps its results.

    Args:
        store: the truth.
        life: of this master; its session holds the attempts.
        hub: of its workers.
        checkpoints: what jobs go on from.
    """

    def __init__(
        self,
        store: SqlStore,
        life: MasterLife,
        hub: Callable[[], Hub],
        checkpoints: JobCheckpoints,
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        #: Jobs that have checkpoints here.
        self._saved: set[tuple[ExperimentId, int]] = set()
        self._life = life
        self._session = life.session
        self._hub = hub
        #: Executions of which attempts may be here.
        self._here: set[ExperimentId] = set()
        #: Attempts that ended here only because their worker went away, perhaps to another master.
        self._given_up: set[AttemptToken] = set()
        self._backlog: Backlog[_Entry] = Backlog(
            self._store_batch, name="morphml-jobs", what="ends of jobs", linger=self._linger
        )

    @property
    def here(self) -> tuple[ExperimentId, ...]:
        """Executions of which attempts may be here."""
        return tuple(self._here)

    @property
    def running(self) -> int:
        """Attempts at jobs that this master's workers have, or whose end waits here."""
        hub = self._hub()
        return sum(len(hub.running(execution)) for execution in tuple(self._here))

    def place(self, tasks: Sequence[ClaimedTask]) -> None:
        """Hand claimed jobs to workers; those that are not wanted any more go back."""
        if not tasks:
            return
        calls = self._store.workflows.running.calls(tasks)
        for task, call in zip(tasks, calls, strict=True):
            if call is None:
                self._store.leases.give_back(task.experiment, [(task.number, task.token)])
                continue
            self._here.add(task.experiment)
            # Only a job that was tried before has left one.
            newest = (
                self._checkpoints.newest(task.experiment, task.number) if task.attempts else None
            )
            self._hub().place(assignment_of(call, task, newest))

    def put(self, attempt: AttemptName, events: Iterable[EngineEvent]) -> None:
        """Queue what happened to one attempt. Never waits for the store's answer.

        Raises:
            StoreUnavailable: when so much waits that the hub is to keep it, and hold workers back.
        """
        self._backlog.check_room()
        self._here.add(attempt.owner)
        for event in events:
            if isinstance(event, Finished | Logged):
                self._backlog.put((attempt, event))
            elif isinstance(event, Checkpointed):
                self._keep_only(attempt, event.path)

    def kill_unwanted(self) -> None:
        """Have workers kill attempts that this master holds no more: they were cancelled.

        Raises:
            StorageError: when the store cannot be asked.
        """
        hub = self._hub()
        # In this order: what a claim or an adoption brings is held before it is here.
        here = {execution: hub.running(execution) for execution in tuple(self._here)}
        held = self._store.leases.held(self._session) if any(here.values()) else {}
        for execution, tokens in here.items():
            mine = {token for _, token in held.get(execution, ())}
            if unwanted := tokens - mine:
                hub.kill(sorted(unwanted))
            if not tokens:
                self._here.discard(execution)

    def close(self) -> None:
        """Stop storing; what was not stored, the workers offer again to the next master."""
        self._backlog.close()

    # --- the thread ------------------------------------------------------------------------------

    def _linger(self, entry: _Entry) -> float:
        """Seconds for which others may be waited for, to be stored in one transaction."""
        if isinstance(entry[1], Logged):
            return MORE_OUTPUT_S
        # With jobs ahead no slot waits for the next one.
        return MORE_AHEAD_S if self._hub().fitting.ahead(self.here) else MORE_ENDS_S

    def _store_batch(self, batch: list[_Entry]) -> None:
        output: dict[ExperimentId, dict[int, list[tuple[str, str]]]] = {}
        ends: dict[ExperimentId, list[tuple[AttemptName, Finished]]] = {}
        returned: list[AttemptName] = []
        for attempt, event in batch:
            if isinstance(event, Logged):
                piece = (event.stream, event.text)
                output.setdefault(attempt.owner, {}).setdefault(attempt.number, []).append(piece)
            elif isinstance(event.outcome, Returned):
                returned.append(attempt)
            else:
                if is_without_worker(event):
                    self._given_up.add(attempt.token)
                ends.setdefault(attempt.owner, []).append((attempt, event))
        if returned:
            give_back(self._store, self._session, returned)
            self._hub().acknowledge([name.token for name in returned])
        for owner in sorted(output):
            self._write_output(ExecutionId(owner), output[owner])
            # An end may be stored twice without harm, and output may not.
            batch[:] = [entry for entry in batch if not _is_output(entry, owner)]
        for owner in sorted(ends):
            self._end(ExecutionId(owner), ends[owner])
        if ends:
            self._store.hints.send(HintTopic.WORK)

    def _write_output(
        self, execution: ExecutionId, pieces: Mapping[int, Sequence[tuple[str, str]]]
    ) -> None:
        """Keep output, unless its execution was forgotten meanwhile."""
        try:
            self._store.workflows.write_output(execution, pieces)
        except StoreUnavailable:
            raise
        except MorphError as error:
            log.warning("execution %s: output is dropped: %s", execution, error)

    def _end(self, execution: ExecutionId, ends: Sequence[tuple[AttemptName, Finished]]) -> None:
        # Of one job that ended twice, the live token alone counts; both are asked about.
        rounds: list[dict[int, tuple[AttemptName, Finished]]] = []
        for attempt, event in ends:
            for each in rounds:
                if attempt.number not in each:
                    each[attempt.number] = (attempt, event)
                    break
            else:
                rounds.append({attempt.number: (attempt, event)})
        for each in rounds:
            stored = [job_end(number, event) for number, (_, event) in each.items()]
            refused = self._store.workflows.running.end_attempts(execution, stored, self._session)
            self._settle(list(each.values()), set(refused))

    def _keep_only(self, attempt: AttemptName, kept: Path | None) -> None:
        """Keep one checkpoint of a job, or none."""
        job = attempt.owner, attempt.number
        if kept is not None:
            self._saved.add(job)
        elif job not in self._saved:
            return
        else:
            self._saved.discard(job)
        try:
            self._checkpoints.keep_only(*job, kept)
        except OSError as error:
            log.warning("execution %s: old checkpoints stay: %s", attempt.owner, error)

    def _settle(
        self, ends: Sequence[tuple[AttemptName, Finished]], refused: set[AttemptToken]
    ) -> None:
        """Ends are stored now; what was refused belongs to somebody else by now, or is adopted."""
        if refused and self._life.lost:
            return  # not judged yet: the workers offer it again to the next life of this master
        seen = [
            (name, event)
            for name, event in ends
            if name.token in refused and name.token not in self._given_up
        ]
        again = adopt_refused(self._store, self._session, [name for name, _ in seen])
        self._given_up.difference_update(name.token for name, _ in ends)
        for name, event in seen:
            if name.token in again:
                self._backlog.put((name, event))
        for name, event in ends:
            if name.token not in refused and isinstance(event.outcome, Succeeded):
                self._keep_only(name, None)
        settled = [name.token for name, _ in ends if name.token not in again]
        self._hub().acknowledge(settled)


def _is_output(entry: _Entry, execution: ExperimentId) -> bool:
    """Whether it is something that a job of the execution wrote."""
    name, event = entry
    return name.owner == execution and isinstance(event, Logged)
