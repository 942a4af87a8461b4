"""A breaker for each worker: one that only fails gets nothing, until a probe shows that it works.

A broken machine fails faster than any other works, and so seems to be idle all the time. Failures
in a row open its breaker, where they are more than chance: the others fail less, they have not
shown the same failure, and one of them could run the work instead. The last worker that could is
never shut off.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from morphml.ids import AttemptToken
from morphml.scheduling import breaker as machine
from morphml.scheduling.breaker import Breaker, BreakerEvent, BreakerRule, BreakerState
from morphml.scheduling.faults.chance import surprising_row
from morphml.scheduling.faults.events import (
    AwaitProbe,
    Broke,
    CloseBreaker,
    FaultCommand,
    FaultEvent,
    Left,
    Needed,
    OpenBreaker,
    Probe,
    Sent,
    Ticked,
    Withdrew,
    Worked,
)
from morphml.scheduling.faults.evidence import Evidence

#: Ends of each worker that tell how much usually fails.
_RECENT = 50
#: A row of failures that no worker comes to.
_NEVER = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFaultRule:
    """When a worker is shut off."""

    #: How often a worker must fail at least, and for how long it is shut off.
    breaker: BreakerRule = field(default_factory=BreakerRule)
    #: Probability below which a row of failures is more than chance.
    chance: float = 1e-3
    #: A probe that lives so many times longer than the longest that failed works ...
    lives_times: float = 4.0
    #: ... if it lives so many seconds at least.
    lives_s: float = 5.0


@dataclass(slots=True)
class _Watched:
    """One worker of which something ended, or that was shut off."""

    breaker: Breaker
    #: Its last ends: whether each had failed.
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_RECENT))
    #: The longest of the failures in the present row, in seconds.
    longest_s: float = 0.0
    #: The probe under way, and when it was sent.
    probe: AttemptToken | None = None
    probed_at: float = 0.0
    #: The newest failure that counted.
    error: str = ""
    #: Parts of the worker that showed the failures of the present row.
    parts: set[str] = field(default_factory=set)


class WorkerBreakers:
    """The breakers of all workers; those of which nothing is known are closed.

    Args:
        rule: when they open and for how long.

    Cost: O(1) an event; O(workers shut off) a tick.
    """

    def __init__(self, rule: WorkerFaultRule | None = None) -> None:
        self._rule = rule or WorkerFaultRule()
        self._watched: dict[str, _Watched] = {}
        #: Those whose breaker is not closed.
        self._shut: dict[str, None] = {}
        self._evidence = Evidence()
        #: Failures and ends among the last ones of all workers that are not shut off.
        self._failed = 0
        self._ended = 0

    # --- questions -------------------------------------------------------------------------------

    def state(self, worker: str) -> BreakerState:
        """Where the worker's breaker stands."""
        watched = self._watched.get(worker)
        return BreakerState.CLOSED if watched is None else watched.breaker.state

    def admits(self, worker: str) -> bool:
        """Whether the worker may be sent an attempt now."""
        watched = self._watched.get(worker)
        return watched is None or watched.breaker.admits

    def doubts(self, worker: str) -> bool:
        """Whether what ended last at the worker failed, in a way that may be its own fault."""
        watched = self._watched.get(worker)
        return watched is not None and watched.breaker.failures > 0

    def known(self) -> Collection[str]:
        """The workers of which something is remembered."""
        return self._watched.keys()

    def shut(self) -> Iterator[Breaker]:
        """The breakers that are not closed."""
        return (self._watched[worker].breaker for worker in self._shut)

    def due(self) -> float:
        """When a breaker that is open lets a probe pass; infinity while none is."""
        opened = (each.retry_at for each in self.shut() if each.state is BreakerState.OPEN)
        return min(opened, default=math.inf)

    def why(self, worker: str) -> str:
        """What a person is told of a worker that is shut off; "" for any other."""
        watched = self._watched.get(worker)
        if watched is None or worker not in self._shut:
            return ""
        return f"{watched.breaker.failures} failures in a row: {watched.error}"

    # --- events ----------------------------------------------------------------------------------

    def step(self, event: FaultEvent) -> list[FaultCommand]:
        """What follows from the event."""
        match event:
            case Ticked():
                return [each for worker in [*self._shut] for each in self._tick(worker, event.at)]
            case Left():
                self._forget(event.worker)
                return []
            case Sent():
                return self._send(event)
            case Needed():
                return self._drive(event.worker, machine.Needed())
            case Worked():
                return self._work(event)
            case Broke():
                return self._break(event)
            case Withdrew():
                return self._withdraw(event.worker, event.token)
            case _:
                assert_never(event)

    def _send(self, event: Sent) -> list[FaultCommand]:
        if event.worker not in self._shut:
            return []
        watched = self._watched[event.worker]
        watched.probe, watched.probed_at = event.token, event.at
        self._drive(event.worker, machine.Passed())
        return [AwaitProbe(worker=event.worker)]

    def _work(self, event: Worked) -> list[FaultCommand]:
        watched = self._watch(event.worker)
        self._count(watched, failed=False)
        if event.worker in self._shut:
            says_nothing = watched.probe != event.token  # it began before
        else:
            says_nothing = watched.breaker.failures == 0  # as nearly always
        return [] if says_nothing else self._drive(event.worker, machine.Worked())

    def _break(self, event: Broke) -> list[FaultCommand]:
        others = self._evidence.add(event, self._shut)
        watched = self._watch(event.worker)
        is_shut = event.worker in self._shut
        if is_shut and watched.probe != event.token:
            return []
        if others is None:
            return self._withdraw(event.worker, event.token)
        if others:
            # Theirs as well: what was held against them for it is forgiven.
            for each in (*others, event.worker):
                if each not in self._shut:
                    self._drive(each, machine.Worked())
            return self._withdraw(event.worker, event.token)
        usual = surprising_row(
            self._failed_elsewhere(watched), self._ended_elsewhere(watched), self._rule.chance
        )
        self._count(watched, failed=True)
        if not is_shut and not event.elsewhere:
            return []
        watched.error = event.error
        watched.longest_s = max(watched.longest_s, event.lasted_s)
        watched.parts.add(event.part)
        one_part = "" not in watched.parts and len(watched.parts) == 1
        row = _NEVER if one_part and not is_shut else usual
        return self._drive(event.worker, machine.Broke(at=event.at), row)

    def _withdraw(self, worker: str, token: AttemptToken) -> list[FaultCommand]:
        watched = self._watched.get(worker)
        if watched is None or watched.probe != token:
            return []
        watched.probe = None
        return self._drive(worker, machine.Withdrew())

    def _tick(self, worker: str, at: float) -> list[FaultCommand]:
        watched = self._watched[worker]
        if watched.probe is not None:
            lives = max(self._rule.lives_s, self._rule.lives_times * watched.longest_s)
            return self._drive(worker, machine.Worked()) if at - watched.probed_at >= lives else []
        return self._drive(worker, machine.Ticked(at=at))

    # --- the machine -----------------------------------------------------------------------------

    def _drive(self, worker: str, event: BreakerEvent, row: int = 0) -> list[FaultCommand]:
        """Give the worker's breaker an event; ``row`` failures open it, or what the rule says."""
        watched = self._watched.get(worker)
        if watched is None:
            return []
        rule = self._rule.breaker
        if row > rule.threshold:
            rule = replace(rule, threshold=row)
        watched.breaker, commands = machine.step(watched.breaker, event, rule)
        if watched.breaker.failures == 0:
            watched.parts.clear()
        return [self._carry_out(worker, watched, command) for command in commands]

    def _carry_out(
        self, worker: str, watched: _Watched, command: machine.BreakerCommand
    ) -> FaultCommand:
        match command:
            case machine.Trip():
                if worker not in self._shut:
                    self._shut[worker] = None
                    self._failed -= sum(watched.recent)
                    self._ended -= len(watched.recent)
                    watched.recent.clear()
                watched.probe = None
                return OpenBreaker(worker=worker, until=command.retry_at, why=self.why(worker))
            case machine.Probe():
                return Probe(worker=worker)
            case machine.Restore():
                self._shut.pop(worker, None)
                watched.probe, watched.longest_s = None, 0.0
                return CloseBreaker(worker=worker)
            case _:
                assert_never(command)

    # --- counts ----------------------------------------------------------------------------------

    def _watch(self, worker: str) -> _Watched:
        watched = self._watched.get(worker)
        if watched is None:
            watched = self._watched[worker] = _Watched(Breaker(id=worker))
        return watched

    def _count(self, watched: _Watched, *, failed: bool) -> None:
        if watched.breaker.id in self._shut:
            return
        if len(watched.recent) == _RECENT:
            self._failed -= watched.recent[0]
            self._ended -= 1
        watched.recent.append(failed)
        self._failed += failed
        self._ended += 1

    def _failed_elsewhere(self, watched: _Watched) -> int:
        return self._failed - sum(watched.recent)

    def _ended_elsewhere(self, watched: _Watched) -> int:
        return self._ended - len(watched.recent)

    def _forget(self, worker: str) -> None:
        watched = self._watched.pop(worker, None)
        if watched is not None:
            self._shut.pop(worker, None)
            self._failed -= sum(watched.recent)
            self._ended -= len(watched.recent)
