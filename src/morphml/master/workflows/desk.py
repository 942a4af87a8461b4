"""Jobs at one master: claimed ones go to its workers, and what became of them goes to the store."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from morphml.engines.port import EngineEvent, Finished, Logged, Returned
from morphml.engines.remote.hub import Hub
from morphml.engines.remote.messages import AttemptName
from morphml.errors import MorphError, StorageError, StoreUnavailable
from morphml.ids import AttemptToken, ExecutionId, ExperimentId
from morphml.master.cluster.held import is_without_worker
from morphml.master.session import MasterLife
from morphml.master.workflows.attempts import assignment_of, job_end
from morphml.scheduling.fair_share import Demand
from morphml.search.changes import ClaimedTask
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic

log = logging.getLogger(__name__)

#: Ends and pieces of output of one turn at most.
BATCH = 500
#: Of these so many wait for the store at most.
MOST = 20_000
#: Seconds between two tries while the store is away, and for which output waits for more of it.
AGAIN_S = 0.5
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
    """

    def __init__(self, store: SqlStore, life: MasterLife, hub: Callable[[], Hub]) -> None:
        self._store = store
        self._life = life
        self._session = life.session
        self._hub = hub
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        #: Executions of which attempts may be here.
        self._here: set[ExperimentId] = set()
        #: Attempts that ended here only because their worker went away, perhaps to another master.
        self._given_up: set[AttemptToken] = set()
        self._away = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="morphml-jobs", daemon=True)
        self._thread.start()

    @property
    def here(self) -> tuple[ExperimentId, ...]:
        """Executions of which attempts may be here."""
        return tuple(self._here)

    @property
    def running(self) -> int:
        """Attempts at jobs that this master's workers have, or whose end waits here."""
        hub = self._hub()
        return sum(len(hub.running(execution)) for execution in tuple(self._here))

    def demand(self) -> Demand:
        """Slots that jobs want here.

        Raises:
            StorageError: when the store cannot be asked.
        """
        hub = self._hub()
        wanted = hub.slots() if self._store.workflows.running.is_ready() else 0
        return Demand(wanted=max(wanted, self.running))

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
            self._hub().place(assignment_of(call, task))

    def put(self, attempt: AttemptName, events: Iterable[EngineEvent]) -> None:
        """Queue what happened to one attempt. Never waits for the store's answer.

        Raises:
            StoreUnavailable: when so much waits that the hub is to keep it, and hold workers back.
        """
        if self._queue.qsize() >= MOST:
            raise StoreUnavailable(f"{MOST} ends of jobs wait already for the store to come back")
        self._here.add(attempt.owner)
        for event in events:
            if isinstance(event, Finished | Logged):
                self._queue.put((attempt, event))

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
        self._closed.set()
        self._queue.put(None)
        self._thread.join(timeout=5.0)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed.is_set():
            batch = self._next_batch()
            while batch and not self._closed.is_set():
                try:
                    self._store_batch(batch)
                    self._away = False
                    break
                except StorageError as error:
                    if not self._away:
                        self._away = True
                        log.warning("ends of jobs wait, the store is away: %s", error)
                    self._closed.wait(AGAIN_S)

    def _next_batch(self) -> list[_Entry]:
        batch = [] if (first := self._queue.get()) is None else [first]
        if first is not None:
            self._closed.wait(self._more_s(first[1]))
        while len(batch) < BATCH:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is not None:
                batch.append(entry)
        return batch

    def _more_s(self, event: Finished | Logged) -> float:
        """Seconds for which others are waited for, to be stored in one transaction."""
        if isinstance(event, Logged):
            return MORE_OUTPUT_S
        # With jobs ahead no slot waits for the next one.
        return MORE_AHEAD_S if self._hub().fitting.ahead(self.here) else MORE_ENDS_S

    def _store_batch(self, batch: Sequence[_Entry]) -> None:
        output: dict[tuple[ExperimentId, int], list[tuple[str, str]]] = {}
        ends: dict[ExperimentId, list[tuple[AttemptName, Finished]]] = {}
        for attempt, event in batch:
            if isinstance(event, Logged):
                piece = (event.stream, event.text)
                output.setdefault((attempt.owner, attempt.number), []).append(piece)
            elif isinstance(event.outcome, Returned):
                self._give_back(attempt)
            else:
                if is_without_worker(event):
                    self._given_up.add(attempt.token)
                ends.setdefault(attempt.owner, []).append((attempt, event))
        for (owner, number), pieces in output.items():
            self._write_output(ExecutionId(owner), number, pieces)
        for owner in sorted(ends):
            self._end(ExecutionId(owner), ends[owner])
        if ends:
            self._store.hints.send(HintTopic.WORK)

    def _give_back(self, attempt: AttemptName) -> None:
        """It never began; unless another master has adopted it, anybody may claim it again."""
        held = self._store.leases.held(self._session).get(attempt.owner, ())
        if (attempt.number, attempt.token) in held:
            self._store.leases.give_back(attempt.owner, [(attempt.number, attempt.token)])
        self._hub().acknowledge([attempt.token])

    def _write_output(
        self, execution: ExecutionId, number: int, pieces: Sequence[tuple[str, str]]
    ) -> None:
        """Keep output, unless its execution was forgotten meanwhile."""
        try:
            self._store.workflows.write_output(execution, number, pieces)
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
        self._given_up.difference_update(name.token for name, _ in ends)
        again = self._held_after_all([name for name, _ in seen])
        for name, event in seen:
            if name.token in again:
                self._queue.put((name, event))
        settled = [name.token for name, _ in ends if name.token not in again]
        self._hub().acknowledge(settled)

    def _held_after_all(self, refused: Sequence[AttemptName]) -> set[AttemptToken]:
        """Of the refused those that this master could adopt, to be stored again."""
        if not refused:
            return set()
        stored = set(self._store.leases.ended(refused))
        open_ = [name for name in refused if name.token not in stored]
        return set(self._store.leases.adopt_all(self._session, open_))
