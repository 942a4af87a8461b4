"""Executions on this machine alone: one process, one store, one engine; no server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from morphml.clock import Clock, SystemClock
from morphml.engines import execution_context
from morphml.engines.port import Engine, EngineEvent, Finished, Logged, Order, Returned
from morphml.errors import MorphError
from morphml.evaluation import EvaluatorSource
from morphml.ids import AttemptToken, ExecutionId, ExperimentId
from morphml.master.described import evaluator_of, space_of
from morphml.master.experiment import Experiment
from morphml.master.session import SessionKeeper, process_name
from morphml.master.workflows.attempts import assignment_of, job_end
from morphml.master.workflows.executions import Executions
from morphml.master.workflows.housekeeping import Housekeeping
from morphml.master.workflows.searches import search_file
from morphml.master.workflows.views import ExecutionView
from morphml.search.changes import ClaimedTask
from morphml.search.experiment import ExperimentState
from morphml.storage import SqlStore
from morphml.storage.workflows import SearchRecord
from morphml.workflow import ExecutionState

#: Seconds for which the engine is waited for, and between two looks at what others want.
TURN_S = 0.2
LOOK_EVERY_S = 1.0

#: Is told how the execution stands when that has changed.
Observer = Callable[[ExecutionView], None]


class LocalExecutions:
    """Runs executions of a store on an engine of this process.

    Args:
        store: the truth; a SQLite file goes on where it was left.
        engine: runs the jobs; closed by whoever made it.
        folder_of: the folder of an execution's or experiment's files.
        clock: monotonic time.
    """

    def __init__(
        self,
        store: SqlStore,
        engine: Engine,
        folder_of: Callable[[ExperimentId], Path],
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._folder_of = folder_of
        self._clock = clock or SystemClock()
        self._executions = Executions(store)
        self._housekeeping = Housekeeping(store, self._clock)
        #: What runs: the claimed task of each attempt.
        self._tasks: dict[AttemptToken, ClaimedTask] = {}
        self._prepared: set[ExperimentId] = set()
        self._searches: dict[ExperimentId, threading.Thread] = {}
        self._looked_at: float | None = None

    def run(self, id: str, observe: Observer | None = None) -> ExecutionView:
        """Work until an execution has ended, or is paused and nothing of it runs.

        Args:
            id: of the execution; other ones of the store that go on are worked on, too.
            observe: called with the execution when something has changed.

        Raises:
            StoreInUse: when another process runs jobs of the same SQLite file.
            KeyboardInterrupt: when a person stops it; what is stored can be resumed.
            StorageError: when the store cannot be used any more.
        """
        keeper = SessionKeeper(self._store, self._clock, process_name(), may_block=False)
        with closing(keeper):
            try:
                return self._work(id, keeper, observe or (lambda _: None))
            finally:
                self._leave()

    def _work(self, id: str, keeper: SessionKeeper, observe: Observer) -> ExecutionView:
        seen = -1
        while True:
            keeper.tick()
            self._look(id, keeper)
            self._claim(keeper)
            self._take(self._engine.events(TURN_S), keeper)
            view = self._executions.show(id)
            if view.seq != seen:
                seen = view.seq
                observe(view)
            idle = not self._tasks and not any(t.is_alive() for t in self._searches.values())
            if view.state.ended or (view.state is ExecutionState.PAUSED and idle):
                return view

    def _claim(self, keeper: SessionKeeper) -> None:
        room = self._engine.slots + self._engine.ahead - len(self._tasks)
        if room <= 0 or not self._store.workflows.running.is_ready():
            return
        tasks = self._store.cluster.claim_jobs(keeper.session, room)
        calls = self._store.workflows.running.calls(tasks)
        for task, call in zip(tasks, calls, strict=True):
            if call is None:
                self._give_back(task)
                continue
            if task.experiment not in self._prepared:
                self._prepared.add(task.experiment)
                context = execution_context(self._folder_of(task.experiment))
                self._engine.prepare(task.experiment, context)
            self._tasks[task.token] = task
            self._engine.submit(assignment_of(call, task))

    def _take(self, events: Sequence[EngineEvent], keeper: SessionKeeper) -> None:
        """Store what happened; the ends of one execution in one transaction."""
        ends: dict[ExperimentId, list[Finished]] = {}
        for event in events:
            task = self._tasks.get(getattr(event, "token", AttemptToken("")))
            if task is None:
                continue
            if isinstance(event, Logged):
                self._store.workflows.write_output(
                    ExecutionId(task.experiment), task.number, [(event.stream, event.text)]
                )
            elif isinstance(event, Finished):
                ends.setdefault(task.experiment, []).append(event)
        for owner, finished in ends.items():
            self._end(owner, finished, keeper)

    def _end(
        self, owner: ExperimentId, finished: Sequence[Finished], keeper: SessionKeeper
    ) -> None:
        tasks = [self._tasks.pop(event.token) for event in finished]
        for task, event in zip(tasks, finished, strict=True):
            if isinstance(event.outcome, Returned):
                self._give_back(task)
        stored = [
            job_end(task.number, event)
            for task, event in zip(tasks, finished, strict=True)
            if not isinstance(event.outcome, Returned)
        ]
        # What is refused was cancelled, or went to the next session while this one was late.
        self._store.workflows.running.end_attempts(ExecutionId(owner), stored, keeper.session)
        self._engine.acknowledge([event.token for event in finished])

    def _look(self, id: str, keeper: SessionKeeper) -> None:
        """Once a second: cancel what nobody wants any more, and see to searches."""
        now = self._clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        held = self._store.leases.held(keeper.session) if self._tasks else {}
        wanted = {token for attempts in held.values() for _, token in attempts}
        for token in self._tasks.keys() - wanted:
            self._engine.order(token, Order.CANCEL)
        self._housekeeping.step()
        for search in self._store.workflows.running.searches():
            if search.execution == id and search.experiment not in (None, *self._searches):
                self._search(search)

    def _search(self, search: SearchRecord) -> None:
        """Drive the experiment of a search on a thread of its own, with children of its own."""
        experiment = search.experiment
        assert experiment is not None, "it was made a moment ago"
        thread = threading.Thread(
            target=self._drive, args=(experiment, search), name="morphml-search", daemon=True
        )
        self._searches[experiment] = thread
        thread.start()

    def _drive(self, experiment: ExperimentId, search: SearchRecord) -> None:
        call = self._store.workflows.running.search_call(search)
        if call is None:
            return
        try:
            file = search_file(call)
            made = Experiment(
                self._store,
                experiment,
                space_of(file),
                EvaluatorSource.of(evaluator_of(file)),
                self._folder_of(experiment),
            )
            made.run(observer=lambda _: None)
        except MorphError as error:
            with suppress(MorphError):
                self._store.set_state(experiment, ExperimentState.FAILED, str(error))

    def _give_back(self, task: ClaimedTask) -> None:
        self._store.leases.give_back(task.experiment, [(task.number, task.token)])

    def _leave(self) -> None:
        """Let searches of this process stop; they go on with the next run."""
        for experiment, thread in self._searches.items():
            if thread.is_alive():
                with suppress(MorphError):
                    self._store.set_state(experiment, ExperimentState.PAUSED, "its process ended")
                thread.join()
