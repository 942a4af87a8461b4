"""Watches, from any process, an experiment that masters drive."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from morphml.clock import Clock
from morphml.errors import StoreUnavailable
from morphml.ids import ExperimentId
from morphml.master.recovery import fresh_machine
from morphml.master.resources import missing_on
from morphml.search.experiment import ExperimentState
from morphml.search.meter import Meter
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
        self._machine = fresh_machine(store.experiment(experiment).current_spec, space)
        self._seq = 0
        self._began = clock.monotonic()
        #: From the first look on, which folds what was stored before.
        self._meter: Meter | None = None

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
        standing.budget = replace(standing.budget, trials=record.budget)
        if self._meter is None:
            self._meter = Meter(self._machine, self._began)
        workers = self._store.cluster.workers.all()
        over = record.state in _OVER
        lacks = [] if over else missing_on(workers, self._machine.spec.resources)
        progress = self._meter.progress(
            self._clock.monotonic(),
            busy=self._store.task_counts(self._experiment).get(TaskState.LEASED, 0),
            slots=sum(int(str(each.figures.get("slots", 0))) for each in workers if each.live),
            reason=record.reason,
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
