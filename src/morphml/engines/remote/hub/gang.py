"""Attempts that run at several workers at once.

Drivers and the store know one attempt, the head. Workers know members, one each: attempts with
tokens that are made of the head's and stand in no store, so that another master has them ended
rather than adopted one by one. Here is decided what of a member's word is told of the head, when
the others end, and how the head does.

The own end of rank 0 is the head's. Any other member that ends by an error, or is lost, ends all;
the head ends when the last of them has, so that a retry finds its workers free. What is then told
is the first failure, unless that was an error in user code and a graver one followed: members that
lose a partner raise at once, and it may take seconds until the partner is known to be lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from morphml.engines.port import (
    Cancelled,
    Checkpointed,
    EngineEvent,
    Failed,
    Finished,
    Logged,
    Order,
    Outcome,
    PausedAt,
    Place,
    Reported,
    Returned,
    Started,
    Stopped,
    Succeeded,
)
from morphml.engines.remote import meeting
from morphml.engines.remote.hub.attempt import Attempt, AttemptState
from morphml.engines.remote.messages import AttemptName
from morphml.ids import AttemptToken, digest
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.resources import Requirements

#: Seconds that others may still take after rank 0 has succeeded.
LINGER_S = 5.0

#: Characters of a line that are waited for.
_LONGEST_LINE = 65_536

_OWN = (Succeeded, Stopped, PausedAt)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from the end of a member."""

    #: Members that are to end too.
    cancel: tuple[Attempt, ...] = ()
    #: The end of the head.
    end: Finished | None = None


_NOTHING = Verdict()


@dataclass(slots=True, eq=False)
class Gang:
    """One attempt at several workers.

    Args:
        head: what the driver submitted.
        members: by rank, each with its worker.
        rendezvous: where they meet.
    """

    head: Attempt
    members: tuple[Attempt, ...]
    rendezvous: str
    #: The head has ended, or nobody wants it.
    over: bool = False
    #: The members that are left were told to end.
    ending: bool = False
    #: The driver cancelled it.
    _cancelled: bool = False
    #: Members that ended.
    _gone: set[AttemptToken] = field(default_factory=set)
    #: What members wrote behind their last whole lines, by token and stream.
    _unfinished: dict[tuple[AttemptToken, str], str] = field(default_factory=dict)
    #: How the head ends, as far as is known.
    _cause: Finished | None = None
    #: Until when those that are left may go on, in monotonic seconds; None where no time runs.
    _linger_until: float | None = None

    @property
    def here(self) -> tuple[Attempt, ...]:
        """Members that have not ended."""
        return tuple(each for each in self.members if each.token not in self._gone)

    def told(self, member: Attempt, event: EngineEvent) -> EngineEvent | None:
        """What a member's event tells of the head; None for nothing."""
        head = self.head
        if self.over or not isinstance(event, Started | Reported | Checkpointed | Logged):
            return None
        if isinstance(event, Logged):
            return self._whole_lines(member, event)
        if member is not self.members[0]:
            return None
        if isinstance(event, Started):
            head.state = AttemptState.STARTED
            head.slot, head.began_at = event.worker, event.at
        return replace(event, token=head.token)

    def _whole_lines(self, member: Attempt, event: Logged) -> Logged | None:
        """Lines with the rank before each: what members write comes in pieces, side by side."""
        key = (member.token, event.stream)
        text = self._unfinished.pop(key, "") + event.text
        lines, end, rest = text.rpartition("\n")
        if len(rest) > _LONGEST_LINE:
            lines, end, rest = text, "\n", ""
        if rest:
            self._unfinished[key] = rest
        if not end:
            return None
        rank = f"[rank {self.members.index(member)}] "
        told = "".join(f"{rank}{line}\n" for line in lines.split("\n"))
        return Logged(token=self.head.token, stream=event.stream, text=told)

    def last_words(self, member: Attempt) -> list[EngineEvent]:
        """What a member that ended wrote behind its last whole line."""
        if self.over:
            return []
        keys = [key for key in self._unfinished if key[0] == member.token]
        ends = (Logged(token=key[0], stream=key[1], text="\n") for key in keys)
        return [told for end in ends if (told := self._whole_lines(member, end)) is not None]

    def ordered(self, order: Order) -> tuple[Attempt, ...]:
        """Members that an order to the head is for.

        Stops and pauses are rank 0's: were others to obey at another step, they would break what
        they do together. They end when it has.
        """
        if order is not Order.CANCEL:
            return tuple(each for each in self.here if each is self.members[0])
        self._cancelled = True
        return self._end_rest()

    def ended(self, member: Attempt, end: Finished) -> Verdict:
        """A member has ended, or is lost."""
        self._gone.add(member.token)
        if self.over:
            return _NOTHING
        own = isinstance(end.outcome, _OWN)
        if own and member is self.members[0]:
            self.over = True
            lingers = isinstance(end.outcome, Succeeded)
            return Verdict(() if lingers else self._end_rest(), replace(end, token=self.head.token))
        if not own:
            self._judge(member, end)
        cancel = () if own or self.ending else self._end_rest()
        if self.here:
            return Verdict(cancel)
        assert self._cause is not None, "rank 0 ended by itself or has given a cause"
        self.over = True
        return Verdict(end=self._cause)

    def overdue(self, now_s: float) -> tuple[Attempt, ...]:
        """Members that have had their time since the head ended, and are to end now."""
        if not self.over or self.ending:
            return ()
        if self._linger_until is None:
            self._linger_until = now_s + LINGER_S
        return self._end_rest() if now_s >= self._linger_until else ()

    def _end_rest(self) -> tuple[Attempt, ...]:
        self.ending = True
        return self.here

    def _judge(self, member: Attempt, end: Finished) -> None:
        """Keep the end if it is the gravest so far."""
        known = self._cause
        if known is None or (_may_follow(known.outcome) and _is_cause(end.outcome)):
            outcome = Cancelled() if self._cancelled else self._named(member, end.outcome)
            self._cause = replace(end, token=self.head.token, outcome=outcome)

    def _named(self, member: Attempt, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Failed):
            return outcome
        who = f"rank {self.members.index(member)} of {len(self.members)}"
        return replace(outcome, message=f"{who}: {outcome.message}")


def _may_follow(outcome: Outcome) -> bool:
    """Whether another member's end can be the reason for this one."""
    return isinstance(outcome, Failed) and outcome.kind is FailureKind.USER_ERROR


def _is_cause(outcome: Outcome) -> bool:
    """Whether it came from outside of user code, and can be a reason."""
    return isinstance(outcome, Returned | Failed) and not _may_follow(outcome)


def form(head: Attempt, workers: Sequence[tuple[str, str]], taken: Collection[str] = ()) -> Gang:
    """The gang of an attempt; its members are on their way to their workers.

    Args:
        head: waits no more.
        workers: id of each, and where its stream comes from. One that other machines reach comes
            first if there is any.
        taken: where other gangs meet.
    """
    assignment = head.assignment
    assert assignment is not None
    placed = sorted(workers, key=lambda each: meeting.is_home(meeting.host_of(each[1])))
    where = meeting.rendezvous(meeting.host_of(placed[0][1]), head.token, taken)
    needs = Requirements.parse(assignment.requirements).one_at_a_time.mapping()
    members = []
    for rank, (worker, _) in enumerate(placed):
        token = AttemptToken(digest(f"{head.token}/{rank}".encode()))
        place = Place(rank=rank, world_size=len(placed), rendezvous=where)
        members.append(
            Attempt(
                name=_member_name(head.name, token),
                assignment=replace(assignment, token=token, requirements=needs, place=place),
                state=AttemptState.SENT,
                checkpoint=head.checkpoint,
                worker=worker,
            )
        )
    gang = Gang(head=head, members=tuple(members), rendezvous=where)
    for each in (head, *members):
        each.gang = gang
    return gang


def _member_name(head: AttemptName, token: AttemptToken) -> AttemptName:
    return replace(head, token=token)
