"""What failures mean for the workers of a hub: who is shut off, who is tried, who is back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias, assert_never

from morphml.engines.failure import blame_of
from morphml.engines.port import Cancelled, Failed, Finished, Returned
from morphml.engines.remote.hub.attempt import Attempt, Moment
from morphml.engines.remote.hub.roster import Member, Roster
from morphml.engines.remote.hub.views import WaitingView
from morphml.ids import AttemptToken
from morphml.scheduling.breaker import BreakerState
from morphml.scheduling.failures import ANSWERS
from morphml.scheduling.faults import FaultToleranceManager, WorkerFaultRule
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
from morphml.scheduling.resources import Capacity, Requirements

_LOG = logging.getLogger(__name__)

#: Whether an open worker could run something with these needs, but none of these names.
CouldRun: TypeAlias = Callable[[Mapping[str, float], Collection[str]], bool]

#: What bars a worker from work; see ``Member.barred``.
CAUSE = "breaker"
#: So many more workers than there are may be remembered.
_TIDY_ABOVE = 64


class WorkerFaults:
    """Keeps broken workers from work.

    Args:
        rule: when a worker is shut off, and for how long.
        roster: has the workers.
        could_run: asked where it matters whether anybody else could.
    """

    def __init__(self, rule: WorkerFaultRule, roster: Roster, could_run: CouldRun) -> None:
        self._rule = rule
        self._roster = roster
        self._could_run = could_run
        self._manager = FaultToleranceManager(workers=rule)
        #: Attempts that were sent to workers.
        self.sent_so_far = 0

    # --- events ----------------------------------------------------------------------------------

    def sent(self, worker: str, token: AttemptToken, now: Moment) -> None:
        """An attempt is on its way to the worker."""
        self.sent_so_far += 1
        self._step(Sent(worker=worker, token=token, at=now.monotonic))

    def ended(self, attempt: Attempt, end: Finished, now: Moment) -> None:
        """A worker says how an attempt ended."""
        worker, token, outcome = attempt.worker, attempt.token, end.outcome
        member = self._roster.members.get(worker)
        follows = attempt.gang is not None and attempt.gang.ending
        if member is None or follows or isinstance(outcome, Cancelled | Returned):
            return  # it is withdrawn when the worker lets it go
        if not isinstance(outcome, Failed):
            self._step(Worked(worker=worker, token=token, at=now.monotonic))
        elif ANSWERS[outcome.kind].against_worker:
            self._step(self._broke(attempt, end, outcome, member, now))

    def _broke(
        self, attempt: Attempt, end: Finished, failed: Failed, member: Member, now: Moment
    ) -> Broke:
        evidence, error = blame_of(failed, attempt.name.number)
        return Broke(
            worker=attempt.worker,
            token=attempt.token,
            at=now.monotonic,
            kind=failed.kind,
            experiment=attempt.name.owner,
            evidence=evidence,
            lasted_s=end.duration_s,
            error=error,
            elsewhere=self._could_run(attempt.requirements, (member.registration.name,)),
            part=_part(failed, member),
        )

    def withdrew(self, worker: str, token: AttemptToken, now_s: float = 0.0) -> None:
        """The worker let an attempt go; how it ended, if it did, was told before."""
        self._step(Withdrew(worker=worker, token=token, at=now_s))

    def left(self, worker: str) -> None:
        """The worker is forgotten."""
        self._step(Left(worker=worker))

    def tick(self, waiting: Callable[[], Iterable[WaitingView]], now: Moment) -> None:
        """Time went by; what waits for nobody but a worker that is shut off gets that one."""
        self._step(Ticked(at=now.monotonic))
        self._tidy()
        shut = [each.id for each in self._manager.workers.shut() if each.state is BreakerState.OPEN]
        if not shut:
            return
        for view in waiting():
            if view.feasible:
                continue
            needs = Requirements.parse(view.requirements)
            for worker in shut:
                member = self._roster.live(worker)
                if member is not None and _could(member, needs):
                    self._step(Needed(worker=worker, at=now.monotonic))

    def _tidy(self) -> None:
        known = self._manager.workers.known()
        if len(known) > 2 * len(self._roster.members) + _TIDY_ABOVE:
            for worker in [each for each in known if each not in self._roster.members]:
                self.left(worker)

    def clear(self) -> None:
        """Forget all."""
        self._manager = FaultToleranceManager(workers=self._rule)

    # --- questions -------------------------------------------------------------------------------

    def doubts(self, worker: str) -> bool:
        """Whether the last attempt at the worker failed, in a way that may be its own fault."""
        return self._manager.workers.doubts(worker)

    def on_trial(self) -> tuple[str, ...]:
        """Names of workers that are tried with one attempt: better none that failed before."""
        shut = self._manager.workers.shut()
        members = [self._roster.members.get(each.id) for each in shut]
        return tuple(member.registration.name for member in members if member is not None)

    def state(self, worker: str) -> BreakerState:
        """Where the worker's breaker stands."""
        return self._manager.workers.state(worker)

    # --- what follows ----------------------------------------------------------------------------

    def _step(self, event: FaultEvent) -> None:
        for command in self._manager.step(event):
            self._carry_out(command)

    def _carry_out(self, command: FaultCommand) -> None:
        member = self._roster.members.get(command.worker)
        if member is None:
            return
        name = member.registration.name
        match command:
            case OpenBreaker():
                _LOG.warning("worker %s gets no work for now: %s", name, command.why)
                self._roster.bar(member, CAUSE, f"shut off after {command.why}")
            case Probe():
                _LOG.info("worker %s is tried with one attempt", name)
                self._roster.bar(member, CAUSE, "")
            case AwaitProbe():
                why = self._manager.workers.why(command.worker)
                self._roster.bar(member, CAUSE, f"on trial after {why}")
            case CloseBreaker():
                _LOG.warning("worker %s works again", name)
                self._roster.bar(member, CAUSE, "")
            case _:
                assert_never(command)


def _part(failed: Failed, member: Member) -> str:
    """The one of the worker's GPUs on which it failed, from which the worker keeps work itself."""
    several = len(Capacity.parse(member.registration.capabilities).gpus) > 1
    return failed.gpus if several and "," not in failed.gpus else ""


def _could(member: Member, needs: Requirements) -> bool:
    return Capacity.parse(member.registration.capabilities).could(needs)
