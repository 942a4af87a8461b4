"""A breaker for each GPU of one machine: a broken one does not take the others with it.

The breakers are those of workers, with a GPU in the place of a worker: what others show as well is
no fault of one, and the last one that could run something is never shut off.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import ANSWERS, FailureKind
from morphml.scheduling.faults.events import (
    Broke,
    FaultCommand,
    FaultEvent,
    Sent,
    Ticked,
    Withdrew,
    Worked,
)
from morphml.scheduling.faults.workers import WorkerBreakers, WorkerFaultRule


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFailure:
    """How an attempt failed; see ``faults.events.Broke``."""

    kind: FailureKind
    experiment: ExperimentId
    evidence: str
    lasted_s: float
    error: str


class DeviceBreakers:
    """The breakers of a machine's devices; times are seconds of a clock that never goes back.

    An attempt that ran on several devices speaks for all of them when it worked, and against none
    when it failed.

    Args:
        names: of the devices, by index, such as ``cuda:0``.
        rule: when one is shut off, and for how long.

    Cost: O(devices) an event; nothing where there are less than two.
    """

    def __init__(self, names: Sequence[str], rule: WorkerFaultRule | None = None) -> None:
        self._names = tuple(names) if len(names) > 1 else ()
        self._breakers = WorkerBreakers(rule)
        #: What runs where, and the devices that it could have run on.
        self._running: dict[AttemptToken, tuple[tuple[int, ...], Collection[int]]] = {}
        #: Indexes of those that are given nothing now.
        self.shut: frozenset[int] = frozenset()
        #: Of those whose last attempt failed, in a way that may be theirs.
        self.doubted: frozenset[int] = frozenset()

    def sent(
        self, token: AttemptToken, devices: tuple[int, ...], able: Collection[int], at: float
    ) -> list[FaultCommand]:
        """An attempt begins.

        Args:
            token: of the attempt.
            devices: those that it sees.
            able: those that it could have got, were all of them free.
            at: now.
        """
        if not self._names or not devices:
            return []
        self._running[token] = (devices, able)
        return self._each(token, Sent, at)

    def worked(self, token: AttemptToken, at: float) -> list[FaultCommand]:
        """It ended well."""
        return self._each(token, Worked, at, over=True)

    def withdrew(self, token: AttemptToken, at: float) -> list[FaultCommand]:
        """It ended in a way that says nothing of its devices."""
        return self._each(token, Withdrew, at, over=True)

    def broke(self, token: AttemptToken, failure: DeviceFailure, at: float) -> list[FaultCommand]:
        """It failed."""
        devices, able = self._running.get(token, ((), ()))
        if len(devices) != 1 or not ANSWERS[failure.kind].against_worker:
            return self.withdrew(token, at)
        del self._running[token]
        elsewhere = set(able) - self.shut - set(devices)
        event = Broke(
            worker=self._names[devices[0]],
            token=token,
            at=at,
            kind=failure.kind,
            experiment=failure.experiment,
            evidence=failure.evidence,
            lasted_s=failure.lasted_s,
            error=failure.error,
            elsewhere=bool(elsewhere),
        )
        return self._step(event)

    def tick(self, at: float) -> list[FaultCommand]:
        """Time went by."""
        return self._step(Ticked(at=at)) if self.shut or self.doubted else []

    def due(self) -> float:
        """When ``tick`` may change something; infinity for never."""
        return self._breakers.due()

    def why(self, index: int) -> str:
        """What a person is told of a device that is shut off; "" for any other."""
        return self._breakers.why(self._names[index]) if self._names else ""

    def _each(
        self,
        token: AttemptToken,
        kind: type[Sent | Worked | Withdrew],
        at: float,
        *,
        over: bool = False,
    ) -> list[FaultCommand]:
        """Tell the same of all devices that the attempt sees."""
        devices, _ = self._running.get(token, ((), ()))
        if over:
            self._running.pop(token, None)
        commands: list[FaultCommand] = []
        for index in devices:
            if kind is not Sent or index not in self.shut:
                commands += self._step(kind(worker=self._names[index], token=token, at=at))
        return commands

    def _step(self, event: FaultEvent) -> list[FaultCommand]:
        commands = self._breakers.step(event)
        names, breakers = self._names, self._breakers
        if commands or self.shut or self.doubted or isinstance(event, Broke):
            self.shut = frozenset(i for i, name in enumerate(names) if not breakers.admits(name))
            self.doubted = frozenset(i for i, name in enumerate(names) if breakers.doubts(name))
        return commands
