"""Watches, from any process, an experiment that masters drive."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import suppress

from morphml.clock import Clock
from morphml.errors import StoreUnavailable
from morphml.ids import ExperimentId
from morphml.master.cluster.contexts import current_spec
from morphml.master.recovery import fresh_machine
from morphml.master.resources import missing_on
from morphml.search.experiment import ExperimentState, TrialState
from morphml.search.progress import Observer, Progress
from morphml.space import SearchSpace
from morphml.storage import SqlStore, TaskState

#: Seconds between two looks.
LOOK_EVERY_S = 0.5
#: Seconds after which a person who waits is told who is missing.
MISSED_AFTER_S = 5.0
_OVER = (ExperimentState.COMPLETED, ExperimentState.FAILED, ExperimentState.PAUSED)


class Watch:
    """Follows an experiment's log; costs one small query for each look.

    Args:
        store: where it is.
        experiment: which one.
        space: of the experiment.
        clock: monotonic time.
        wait: waits so many seconds.
    """

    def __init__(
        self,
        store: SqlStore,
        experiment: ExperimentId,
        space: SearchSpace,
        clock: Clock,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._wait = wait
        self._told: str | None = None
        self._store = store
        self._experiment = experiment
        self._clock = clock
        self._machine = fresh_machine(current_spec(store.experiment(experiment)), space)
        self._seq = 0
        self._began = clock.monotonic()
        self._ended_before: int | None = None
        self._most_slots = 0

    def look(self) -> tuple[ExperimentState, Progress]:
        """Where the experiment stands now.

        Raises:
            StorageError: when the store cannot be read.
        """
        record = self._store.experiment(self._experiment)
        entries = list(self._store.log(self._experiment, after=self._seq))
        self._machine.fold(iter(entries))
        if entries:
            self._seq = entries[-1].seq
        standing = self._machine.standing
        best = standing.best
        objective = self._machine.spec.objectives[0]
        under_way = len(self._machine.pending) + len(self._machine.segments.paused)
        ended = self._machine.next_number - under_way
        if self._ended_before is None:
            self._ended_before = ended
        tasks = self._store.task_counts(self._experiment)
        workers = self._store.cluster.workers.all()
        lacks = missing_on(workers, self._machine.spec.resources)
        slots = sum(int(str(each.figures.get("slots", 0))) for each in workers if each.live)
        self._most_slots = max(self._most_slots, slots)
        progress = Progress(
            name=record.name,
            taken=record.next_number,
            budget=record.budget,
            counts={state.value: standing.counts[state] for state in TrialState},
            duplicates=standing.duplicates,
            rejections=standing.rejections,
            reused=standing.reused,
            busy=tasks.get(TaskState.LEASED, 0),
            slots=slots,
            most_slots=self._most_slots,
            objective=objective.name,
            best_value=None if best is None else objective.minimised(best[1][0]),
            best_number=None if best is None else best[0],
            elapsed_s=self._clock.monotonic() - self._began,
            ended=ended - self._ended_before,
            reason=record.reason,
            rungs=self._machine.segments.counts,
            waits_for="; ".join(str(lack) for lack in lacks),
        )
        return record.state, progress

    def until_over(self, observer: Observer) -> ExperimentState:
        """Look twice a second until it is over or paused; an outage of the store is waited out.

        A person who waits for nobody is told so, once for each who is missing: a master, a worker.
        """
        while True:
            try:
                state, progress = self.look()
            except StoreUnavailable:
                self._wait(LOOK_EVERY_S)
                continue
            observer(progress)
            if state in _OVER:
                return state
            with suppress(StoreUnavailable):
                self._miss_somebody(state, progress)
            self._wait(LOOK_EVERY_S)

    def _miss_somebody(self, state: ExperimentState, progress: Progress) -> None:
        if self._clock.monotonic() - self._began < MISSED_AFTER_S or progress.busy:
            return
        masters = [master for master in self._store.cluster.masters() if master.address]
        if state is ExperimentState.QUEUED and not masters:
            missing = "no master serves this store: start one with `morphml master --storage ...`"
        elif progress.slots == 0:
            missing = "no worker is there: start one with `morphml worker --master HOST:PORT`"
        elif progress.waits_for:
            missing = f"no worker can run its trials: {progress.waits_for}"
        else:
            self._told = None
            return
        if missing == self._told:
            return
        self._told = missing
        warnings.warn(f"experiment {self._experiment} waits: {missing}", stacklevel=4)
