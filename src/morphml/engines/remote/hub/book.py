"""All decisions of a hub in one value: who gets what, and what is told to whom.

Without thread, clock or stream. Each call takes what happened and the time; what is to be done
about it is fetched with ``take``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from morphml.engines.remote.hub.attempt import Attempt, Moment
from morphml.engines.remote.hub.commands import Command
from morphml.engines.remote.hub.dispatch import Dispatch
from morphml.engines.remote.hub.driver_side import DriverSide
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.losing import lose
from morphml.engines.remote.hub.preparing import Preparing
from morphml.engines.remote.hub.roster import Member
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.hub.views import Glance, WorkerView
from morphml.engines.remote.hub.wishes import Wishes
from morphml.engines.remote.hub.worker_side import WorkerSide
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.worker import GiveUpAttempts, WorkerState

#: A tick so much later than planned means that this process stood still, in seconds.
_STALL_S = 1.0


class Effects(NamedTuple):
    """What is to be done."""

    commands: list[Command]
    #: Experiments for which something new is to be told.
    told: set[ExperimentId]
    #: Experiments of which nothing is left.
    over: set[ExperimentId]


class Book:
    """The state of one hub.

    Args:
        settings: times and sizes.
    """

    def __init__(self, settings: HubSettings) -> None:
        self._settings = settings
        self.ledger = Ledger(settings)
        self._dispatch = Dispatch(self.ledger)
        self.drivers = DriverSide(self.ledger, self._dispatch)
        self.wishes = Wishes(self.ledger, self._dispatch)
        self.workers = WorkerSide(self.ledger, self._dispatch)
        self.preparing = Preparing(self.ledger, self._dispatch)
        self._ticked_at: float | None = None

    def take(self) -> Effects:
        """All that is to be done since the last call, in order."""
        ledger = self.ledger
        effects = Effects(ledger.commands, ledger.told, ledger.over - ledger.groups.keys())
        ledger.commands, ledger.told, ledger.over = [], set(), set()
        return effects

    def tick(self, now: Moment) -> None:
        """Time went by. Cost: O(what is due)."""
        ledger = self.ledger
        gap = 0.0 if self._ticked_at is None else now.monotonic - self._ticked_at
        self._ticked_at = now.monotonic
        if gap - self._settings.tick_s > _STALL_S:
            ledger.roster.forgive(gap)
        for member, commands in ledger.roster.tick(now):
            if member.worker.state is WorkerState.LOST:
                lose(ledger, member, now, "is lost")
            else:
                assert not any(isinstance(each, GiveUpAttempts) for each in commands)
        self.preparing.look(now)
        self._dispatch.overdue(now)
        ledger.gangs.hurry(now)
        self._dispatch.strand(now)
        self.workers.ask_again()
        ledger.faults.tick(self.wishes.waiting, now)
        self._dispatch.fill(now)

    def attempt(self, token: AttemptToken) -> Attempt | None:
        """The attempt of that token, if it is here."""
        return self.ledger.attempts.get(token)

    def views(self, known: Mapping[str, Glance]) -> list[WorkerView]:
        """The workers that do not look as they are known, in the order in which they came."""
        looks = ((member, _glance(member)) for member in self.ledger.roster.members.values())
        return [
            _view(member, look) for member, look in looks if known.get(member.worker.id) != look
        ]

    def slots(self) -> tuple[int, int]:
        """Slots of all workers that take tasks, and the attempts that lie on the others."""
        fleet = self.ledger.scheduler.fleet
        return fleet.slots(), fleet.behind()

    def free(self) -> int:
        """Slots that nothing lies on and nothing waits for. Cost: O(workers + experiments)."""
        waiting = sum(view.count * view.workers for view in self.wishes.waiting())
        return max(0, self.ledger.scheduler.fleet.free() - waiting)

    def clear(self) -> None:
        """Forget every attempt and worker, since this master has lost its session."""
        self.ledger.clear()
        self._dispatch.clear()


def _glance(member: Member) -> Glance:
    held = len(member.worker.attempts)
    queued = min(member.queued, held)
    barred = member.why_barred if member.barred else ""
    shut = member.shut_gpus
    return Glance(member.state, held - queued, queued, barred, shut, member.registration)


def _view(member: Member, glance: Glance) -> WorkerView:
    worker, registration = member.worker, member.registration
    return WorkerView(
        id=worker.id,
        glance=glance,
        name=registration.name,
        state=glance.state,
        slots=registration.slots,
        running=glance.running,
        queued=glance.queued,
        free=worker.free_slots if member.open else 0,
        barred=glance.barred,
        shut_gpus=glance.shut_gpus,
        capabilities=registration.capabilities,
        figures=member.figures,
        morphml_version=registration.morphml_version,
        python_version=registration.python_version,
        peer=member.peer,
        heard_at=member.heard_epoch,
    )
