"""Which workers the simulated master has shut off, by the breakers of ``scheduling.faults``."""

from __future__ import annotations

from typing import assert_never

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.faults import FaultToleranceManager
from morphml.scheduling.faults.events import (
    AwaitProbe,
    Broke,
    CloseBreaker,
    FaultEvent,
    Left,
    OpenBreaker,
    Probe,
    Sent,
    Ticked,
    Withdrew,
    Worked,
)
from morphml.testing.simulator.crew import Crew
from morphml.testing.simulator.stopwatch import Stopwatch
from morphml.testing.simulator.timeline import Timeline

#: Seconds between two looks at workers that are shut off.
TICK_S = 1.0


class Wards:
    """Tells the breakers what happened, and the crew whom they shut off.

    Args:
        faults: has the breakers.
        crew: opens and shuts workers.
        timeline: the time.
        watch: times the breakers with the scheduler: they decide for each attempt too.
    """

    def __init__(
        self, faults: FaultToleranceManager, crew: Crew, timeline: Timeline, watch: Stopwatch
    ) -> None:
        self._faults = faults
        self._crew = crew
        self._timeline = timeline
        self._watch = watch
        self._ticks = False

    def sent(self, worker: str, token: AttemptToken) -> None:
        """An attempt was sent to a worker."""
        self._step(Sent(worker=worker, token=token, at=self._timeline.monotonic()))

    def worked(self, worker: str, token: AttemptToken) -> None:
        """An attempt succeeded."""
        self._step(Worked(worker=worker, token=token, at=self._timeline.monotonic()))

    def withdrew(self, worker: str, token: AttemptToken) -> None:
        """An attempt was lost, or preempted."""
        self._step(Withdrew(worker=worker, token=token, at=self._timeline.monotonic()))

    def left(self, worker: str) -> None:
        """The worker is gone."""
        self._step(Left(worker=worker))

    def broke(
        self,
        worker: str,
        token: AttemptToken,
        kind: FailureKind,
        experiment: ExperimentId,
        *,
        elsewhere: bool,
    ) -> None:
        """An attempt failed; ``elsewhere`` where another worker could have run it."""
        event = Broke(
            worker=worker,
            token=token,
            at=self._timeline.monotonic(),
            kind=kind,
            experiment=experiment,
            evidence=token,
            lasted_s=0.0,
            error="it failed before the evaluator began",
            elsewhere=elsewhere,
        )
        self._step(event)

    def _step(self, event: FaultEvent) -> None:
        for command in self._watch(self._faults.step, event):
            match command:
                case OpenBreaker() | Probe() | AwaitProbe() | CloseBreaker():
                    self._crew.follow(command.worker)
                case _:
                    assert_never(command)
        if not self._ticks and any(True for _ in self._faults.workers.shut()):
            self._ticks = True
            self._timeline.after(TICK_S, self._tick, 0)

    def _tick(self, _: int) -> None:
        self._ticks = False
        self._step(Ticked(at=self._timeline.monotonic()))
