"""A population that ages: results come in, the oldest go, the best may stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from morphml.optimizers.events import Answered, Asked, Cancelled, Event, Told
from morphml.optimizers.pareto import Result, best_first

if TYPE_CHECKING:
    from morphml.space import Architecture


class Member(NamedTuple):
    """A trial with a result, kept as a possible parent."""

    #: The trial's number; None for a result known from another experiment.
    number: int | None
    architecture: Architecture
    result: Result


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
        self._ordered: list[Member] | None = None

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(1), or O(capacity log capacity) with elitism."""
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
        self._ordered = None
        if len(self.members) <= self._capacity:
            return
        if self._elitism == 0:
            del self.members[0]
            return
        elite = {id(member) for member in self.best_first()[: self._elitism]}
        oldest = next(m for m in self.members if id(m) not in elite)
        self.members.remove(oldest)
        self._ordered = None

    def _revive(self, event: Answered) -> None:
        if event.values is None:
            return
        for position, member in enumerate(self.members):
            if event.source is not None and member.number == event.source:
                del self.members[position]
                break
        result = Result(event.violation, event.values)
        self._add(Member(event.source, event.architecture, result))


def parents_of(*members: Member) -> tuple[int, ...]:
    """What stands in a proposal's ``parents`` for a child of ``members``."""
    return tuple(member.number for member in members if member.number is not None)
