"""Which GPUs of this machine are given nothing, since all fails there or the driver reports it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import assert_never

from morphml.engines.failure import blame_of
from morphml.engines.port import (
    Assignment,
    Cancelled,
    Failed,
    Outcome,
    PausedAt,
    Returned,
    Stopped,
    Succeeded,
)
from morphml.ids import AttemptToken
from morphml.scheduling.faults import DeviceBreakers, DeviceFailure
from morphml.scheduling.faults.events import AwaitProbe, CloseBreaker, FaultCommand, OpenBreaker
from morphml.scheduling.faults.events import Probe as LetProbe

_LOG = logging.getLogger(__name__)


class GpuCare:
    """Keeps attempts from GPUs that are broken; times are monotonic seconds.

    Args:
        names: of the GPUs, by index, as ``CUDA_VISIBLE_DEVICES`` calls them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._breakers = DeviceBreakers([f"GPU {name}" for name in names])
        #: What somebody else found about GPUs, by index.
        self._sick: dict[int, str] = {}
        #: Indexes of those that are given nothing now, and of those that better are given nothing.
        self.shut: frozenset[int] = frozenset()
        self.doubted: frozenset[int] = frozenset()

    @property
    def why(self) -> Mapping[int, str]:
        """What people are told of each GPU that is given nothing, by index."""
        return {index: self._why(index) for index in sorted(self.shut)}

    def declare(self, sick: Mapping[int, str]) -> None:
        """These GPUs, and no others, are given nothing for what was measured of them.

        Args:
            sick: what people are told, by index.
        """
        for index, why in sick.items():
            if index not in self._sick:
                _LOG.warning("GPU %s gets no work: %s", self._names[index], why)
        for index in self._sick.keys() - sick.keys():
            _LOG.warning("GPU %s is well again", self._names[index])
        self._sick = dict(sick)
        self._follow([])

    def sent(
        self, token: AttemptToken, devices: tuple[int, ...], able: Collection[int], now: float
    ) -> None:
        """An attempt begins that sees these GPUs, and could have got any of the able ones."""
        self._follow(self._breakers.sent(token, devices, able, now))

    def withdrew(self, token: AttemptToken, now: float) -> None:
        """It did not begin after all."""
        self._follow(self._breakers.withdrew(token, now))

    def ended(
        self, assignment: Assignment, outcome: Outcome, duration_s: float, now: float
    ) -> None:
        """It is over."""
        token = assignment.token
        match outcome:
            case Failed():
                evidence, error = blame_of(outcome, assignment.number)
                failure = DeviceFailure(
                    kind=outcome.kind,
                    experiment=assignment.experiment,
                    evidence=evidence,
                    lasted_s=duration_s,
                    error=error,
                )
                commands = self._breakers.broke(token, failure, now)
            case Succeeded() | Stopped() | PausedAt():
                commands = self._breakers.worked(token, now)
            case Cancelled() | Returned():
                commands = self._breakers.withdrew(token, now)
            case _:
                assert_never(outcome)
        self._follow(commands)

    def tick(self, now: float) -> float:
        """Time went by; when it may matter next, infinity for never."""
        self._follow(self._breakers.tick(now))
        return self._breakers.due()

    def _follow(self, commands: Sequence[FaultCommand]) -> None:
        self.shut = self._breakers.shut | self._sick.keys()
        self.doubted = self._breakers.doubted
        for command in commands:
            match command:
                case OpenBreaker():
                    _LOG.warning("%s gets no work for now: %s", command.worker, command.why)
                case CloseBreaker():
                    _LOG.warning("%s works again", command.worker)
                case LetProbe() | AwaitProbe():
                    _LOG.info("%s is tried with one attempt", command.worker)
                case _:
                    assert_never(command)

    def _why(self, index: int) -> str:
        return self._sick.get(index) or self._breakers.why(index)
