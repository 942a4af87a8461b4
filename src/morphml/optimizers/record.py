"""What came of every proposal: how many were asked, which are pending, which points are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from morphml.optimizers.events import JSON, Answered, Asked, Cancelled, Event, Rejected, Told
from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.optimizers.seen_points import SeenPoints, point_key


class Learned(NamedTuple):
    """A result that came in."""

    member: Member
    #: What the optimizer wrote beside the proposal; None for an answer from what is known.
    note: Mapping[str, JSON] | None
    #: Whether it was known before: a duplicate's answer.
    again: bool


class Record:
    """The part of the log that most optimizers keep, folded once for all of them.

    Args:
        seen: points that others have seen; kept, and added to.
    """

    def __init__(self, seen: SeenPoints | None = None) -> None:
        #: Trials that took a number so far, whatever became of them.
        self.asked = 0
        #: Trials that have a number and no end yet, by number, oldest first.
        self.pending: dict[int, Asked] = {}
        #: Every point proposed so far, rejected ones included, with its result where there is one.
        self.seen = SeenPoints() if seen is None else seen

    def observe(self, event: Event) -> Learned | None:
        """Learn one log entry; O(1). The result that it brought, or None: failures have none."""
        match event:
            case Asked():
                self.asked += 1
                self.pending[event.number] = event
                self.seen.add(point_key(event.architecture))
            case Told():
                asked = self.pending.pop(event.number)
                if event.values is not None:
                    result = Result(event.violation, event.values)
                    member = Member(event.number, asked.architecture, result)
                    return self._learn(member, asked.note, again=False)
            case Answered():
                self.seen.add(point_key(event.architecture))
                if event.values is not None:
                    result = Result(event.violation, event.values)
                    member = Member(event.source, event.architecture, result)
                    return self._learn(member, None, again=event.source is not None)
            case Rejected():
                self.seen.add(point_key(event.architecture))
            case Cancelled():
                del self.pending[event.number]
            case _:
                pass
        return None

    def _learn(self, member: Member, note: Mapping[str, JSON] | None, *, again: bool) -> Learned:
        self.seen.tell(point_key(member.architecture), member)
        return Learned(member, note, again)
