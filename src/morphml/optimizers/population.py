"""A population that ages: results come in, the oldest go, the best may stay."""

from __future__ import annotations

from bisect import bisect_left, insort_right
from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple

from morphml.optimizers.events import Answered, Asked, Cancelled, Event, Told
from morphml.optimizers.pareto import Result, best_first
from morphml.space import Architecture


class Member(NamedTuple):
    """A trial with a result, kept as a possible parent."""

    #: The trial's number; None for a result known from another experiment.
    number: int | None
    architecture: Architecture
    result: Result


#: The result of a member, as a key for sorting.
result_of: Callable[[Member], Result] = attrgetter("result")


class Population:
    """The youngest results and the best ones, folded from the log.

    A failed trial never becomes a member. A duplicate whose result is known becomes a young member
    in the place of its older copy, so what is found again lives on.

    Args:
        capacity: members alive at most, >= 1.
        elitism: how many of the best never die of age, < ``capacity``.
    """

    def __init__(self, capacity: int, elitism: int = 0) -> None:
        #: Trials that took a number so far, whatever became of them.
        self.asked = 0
        #: Oldest first; not to be changed from outside.
        self.members: list[Member] = []
        self._capacity = capacity
        self._elitism = elitism
        #: Trials asked and not told yet.
        self._pending: dict[int, Architecture] = {}
        #: Best first; None until somebody asks, and when several objectives have to be sorted anew.
        self._ordered: list[Member] | None = None

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(capacity), for several objectives with elitism its square."""
        match event:
            case Asked():
                self.asked += 1
                self._pending[event.number] = event.architecture
            case Told():
                architecture = self._pending.pop(event.number)
                if event.values is not None:
                    result = Result(event.violation, event.values)
                    self._add(Member(event.number, architecture, result))
            case Answered():
                self._revive(event)
            case Cancelled():
                del self._pending[event.number]
            case _:
                pass

    def best_first(self) -> list[Member]:
        """The members from best to worst; several objectives by front and crowding."""
        if self._ordered is None:
            order = best_first([member.result for member in self.members])
            self._ordered = [self.members[position] for position in order]
        return self._ordered

    def _add(self, member: Member) -> None:
        self.members.append(member)
        if self._ordered is not None and len(member.result.values) == 1:
            insort_right(self._ordered, member, key=result_of)
        else:
            self._ordered = None
        if len(self.members) > self._capacity:
            self._remove(self._oldest_commoner())

    def _oldest_commoner(self) -> int:
        """Position of the oldest member that is not among the elite."""
        if self._elitism == 0:
            return 0
        elite = {id(member) for member in self.best_first()[: self._elitism]}
        return next(p for p, member in enumerate(self.members) if id(member) not in elite)

    def _remove(self, position: int) -> None:
        gone = self.members.pop(position)
        if self._ordered is not None:
            if len(gone.result.values) > 1:
                self._ordered = None
                return
            place = bisect_left(self._ordered, gone.result, key=result_of)
            while self._ordered[place] is not gone:
                place += 1
            del self._ordered[place]

    def _revive(self, event: Answered) -> None:
        if event.values is None:
            return
        for position, member in enumerate(self.members):
            if member.number == event.source and (
                event.source is not None
                or member.architecture.point_id == event.architecture.point_id
            ):
                self._remove(position)
                break
        result = Result(event.violation, event.values)
        self._add(Member(event.source, event.architecture, result))


def parents_of(*members: Member) -> tuple[int, ...]:
    """What stands in a proposal's ``parents`` for a child of ``members``."""
    return tuple(member.number for member in members if member.number is not None)
