"""All rules of faults in one value: what becomes of the task, the worker and the experiment."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.ids import ExperimentId
from morphml.scheduling.failures import Failure
from morphml.scheduling.faults.events import FaultCommand, FaultEvent
from morphml.scheduling.faults.experiment import ExperimentBreaker
from morphml.scheduling.faults.workers import WorkerBreakers, WorkerFaultRule
from morphml.scheduling.retry import RetryDecision, RetryRule, decide_retry


class FaultToleranceManager:
    """What follows from failures; without clock, thread or I/O.

    A hub drives the workers' side, a driver that of its experiment, the simulator both.

    Args:
        retries: how often a task is tried again, and when.
        workers: when a worker is shut off, and for how long.
    """

    def __init__(
        self, retries: RetryRule | None = None, workers: WorkerFaultRule | None = None
    ) -> None:
        self._retries = retries or RetryRule()
        #: Which workers are shut off.
        self.workers = WorkerBreakers(workers)
        #: Which experiments are worth going on with.
        self.experiments: dict[ExperimentId, ExperimentBreaker] = {}

    def step(self, event: FaultEvent) -> list[FaultCommand]:
        """What follows for workers from what happened to an attempt, or from time."""
        return self.workers.step(event)

    def retry(
        self, history: Sequence[Failure], *, seed: int, seen_on: int = 0, elsewhere: bool = True
    ) -> RetryDecision:
        """What becomes of a task after the last failure of ``history``; see ``decide_retry``."""
        return decide_retry(history, self._retries, seed=seed, seen_on=seen_on, elsewhere=elsewhere)

    def begin(
        self, experiment: ExperimentId, *, worked: int = 0, failed: int = 0
    ) -> ExperimentBreaker:
        """Watch over an experiment from now on; see ``ExperimentBreaker``."""
        breaker = self.experiments[experiment] = ExperimentBreaker(worked=worked, failed=failed)
        return breaker
