"""Whether the last tasks should wait for fast workers: what those still have before them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.policies.contract import Placed
from morphml.scheduling.resources import Requirements
from morphml.scheduling.seat import Seat
from morphml.scheduling.speeds import Speeds
from morphml.scheduling.stakes import Stakes

#: The profile of all workers is made anew after so many looks for each worker, inverse.
_LOOKS = 8
#: What a look counts while the end is far.
_FAR_LOOK = 0.02
#: Classes of speed for each factor of two.
_CLASSES = 4
#: A slow worker takes what it ends within this part of the time until faster ones have done all
#: else: a task left to them is not the last there, since the longest go first, and costs err.
_MARGIN = 0.3
#: Sets of needs for which a profile is kept.
_MOST_PROFILES = 64
#: A task that takes longer than expected is expected to take so much of its time more.
_OVERDUE = 0.3


@dataclass(slots=True)
class _Ahead:
    """What workers of some speed have before them."""

    #: Slots times speed.
    capacity: float = 0.0
    slots: int = 0
    #: Work that runs there, in seconds at speed 1.
    backlog: float = 0.0


class _Profile:
    """What the workers of each class of speed, and of all above it, have before them.

    Of all workers, those count that could run the tasks in question.
    """

    __slots__ = ("_classes", "_sums", "capacity", "looks")

    def __init__(self, own: Mapping[int, _Ahead]) -> None:
        #: How often it was looked at since it was made.
        self.looks = 0.0
        self._classes = sorted(own)
        total = _Ahead()
        #: For each of the classes itself and all above it; the last one is of none.
        self._sums = [total]
        for each in reversed(self._classes):
            mine = own[each]
            total = _Ahead(
                total.capacity + mine.capacity,
                total.slots + mine.slots,
                total.backlog + mine.backlog,
            )
            self._sums.append(total)
        self._sums.reverse()
        #: Slots times speed of all.
        self.capacity = total.capacity

    def faster(self, speed: float) -> _Ahead:
        """The workers of all classes above that of the speed."""
        return self._sums[bisect_right(self._classes, _class_of(speed))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Which tasks a worker should take, in seconds at speed 1."""

    #: The longest; infinity for all.
    longest: float = math.inf
    #: Seconds saved, for each second of work, by a task that a faster worker takes at once.
    saved: float = 0.0


#: All tasks.
NO_LIMIT = Limit()


@dataclass(slots=True)
class Outlook:
    """What is still to be done, and by whom.

    Args:
        fleet: all workers.
        stakes: all experiments; they say how much is still to come.
        speeds: what is known of workers and tasks.
    """

    fleet: Fleet
    stakes: Stakes
    speeds: Speeds
    #: Cost of all that waits, by experiment.
    waiting: dict[ExperimentId, float] = field(default_factory=dict)
    #: What runs: where, since when, and its cost.
    _running: dict[AttemptToken, tuple[Seat, float, float, ExperimentId]] = field(
        default_factory=dict
    )
    #: By what tasks need.
    _profiles: dict[Requirements, _Profile] = field(default_factory=dict)

    def placed(self, event: Placed) -> None:
        """A task began."""
        task = event.task
        cost = self.speeds.usual_cost(task.experiment) if task.cost is None else task.cost
        self._running[task.token] = (event.worker, event.at, cost, task.experiment)

    def over(self, token: AttemptToken) -> None:
        """A task ended, or left its worker."""
        self._running.pop(token, None)

    def limit(self, seat: Seat, needs: Requirements, longest: float, now: float) -> Limit:
        """Which tasks of such needs the worker should take now.

        One that it would still run when faster workers have done most of what is left is left to
        them. Cost: O(experiments), and O(workers) once for each so many calls that came near the
        end.

        Args:
            seat: the worker.
            needs: of the tasks.
            longest: of the tasks at hand, in seconds at speed 1.
            now: seconds.
        """
        if not self.speeds.differ():
            return NO_LIMIT
        work = self._left()
        speed = self.speeds.speed(seat.name)
        profile = self._profiles.get(needs)
        if profile is not None:
            far = longest * profile.capacity <= _MARGIN * work * speed
            profile.looks += _FAR_LOOK if far else 1.0
            if profile.looks * _LOOKS > len(self.fleet):
                profile = None
            elif far:
                return NO_LIMIT  # all workers together need longer for the rest
        if profile is None:
            profile = self._look(needs, now)
        faster = profile.faster(speed)
        if not faster.slots:
            return NO_LIMIT
        wait_s = _MARGIN * (faster.backlog + work) / faster.capacity
        saved = 1.0 / speed - faster.slots / faster.capacity
        return Limit(longest=wait_s / saved, saved=saved) if saved > 0.0 else NO_LIMIT

    def _left(self) -> float:
        """The work that is not begun, in seconds at speed 1; infinity when nobody knows."""
        work = 0.0
        for stake in self.stakes:
            if not (stake.waiting or stake.used):
                continue
            if stake.more is None:
                return math.inf
            rate = self.speeds.rate(stake.experiment)
            cost = stake.more * self.speeds.usual_cost(stake.experiment)
            work += (self.waiting.get(stake.experiment, 0.0) + cost) * rate
        return work

    def _look(self, needs: Requirements, now: float) -> _Profile:
        """What those have before them that could run such tasks. Cost: O(workers)."""
        own: dict[int, _Ahead] = {}
        speeds: dict[str, float] = {}
        for seat in self.fleet:
            if seat.open and seat.holdings.could(needs):
                speed = speeds[seat.id] = self.speeds.speed(seat.name)
                found = own.setdefault(_class_of(speed), _Ahead())
                found.capacity += seat.slots * speed
                found.slots += seat.slots
        rates: dict[ExperimentId, float] = {}
        for seat, since, cost, experiment in self._running.values():
            speed = speeds.get(seat.id, 0.0)
            if speed:
                rate = rates.get(experiment)
                if rate is None:
                    rate = rates[experiment] = self.speeds.rate(experiment)
                elapsed = now - since
                left_s = max(cost * rate / speed - elapsed, _OVERDUE * elapsed)
                own[_class_of(speed)].backlog += left_s * speed
        if len(self._profiles) >= _MOST_PROFILES:
            self._profiles.clear()
        made = self._profiles[needs] = _Profile(own)
        return made


def _class_of(speed: float) -> int:
    return math.floor(_CLASSES * math.log2(speed))
