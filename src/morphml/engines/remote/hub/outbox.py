"""What is queued for one worker, put together into as few messages as possible."""

from __future__ import annotations

from morphml.engines.remote import wire
from morphml.engines.remote.hub.attempt import Attempt
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import AttemptToken, ExperimentId

#: A message is not made longer than about this, in bytes; one event alone may be.
_ENOUGH_BYTES = 1 << 20
#: Tokens in one message.
_MOST_TOKENS = 10_000


class Outbox:
    """The queue of one stream. Whoever calls holds the hub's lock."""

    def __init__(self) -> None:
        # A list: there is one for each worker, and an empty deque takes 750 bytes.
        self._events: list[pb.MasterEvent] = []
        self._acknowledged: dict[AttemptToken, None] = {}
        self._keep: dict[AttemptToken, None] = {}
        self._kill: dict[AttemptToken, None] = {}
        self._beat: int | None = None
        #: Digest of the context that was sent for each experiment.
        self._contexts: dict[ExperimentId, str] = {}

    def put(self, event: pb.MasterEvent) -> None:
        """Queue an event behind all others."""
        self._events.append(event)

    def task(self, attempt: Attempt, context: pb.Context) -> None:
        """Queue a task, and before it the context where the worker has another one."""
        self.context(attempt.name.owner, context)
        assert attempt.assignment is not None
        task = wire.assignment_to_task(attempt.assignment, attempt.checkpoint)
        self.put(pb.MasterEvent(task=task))

    def context(self, owner: ExperimentId, context: pb.Context) -> None:
        """Queue a context where the worker has another one."""
        if self._contexts.get(owner) != context.digest:
            self._contexts[owner] = context.digest
            self.put(pb.MasterEvent(context=context))

    def acknowledge(self, token: AttemptToken) -> None:
        """Queue an acknowledgement."""
        self._acknowledged[token] = None

    def verdict(self, token: AttemptToken, *, keep: bool) -> None:
        """Queue a verdict; the last one about a token counts."""
        (self._kill if keep else self._keep).pop(token, None)
        (self._keep if keep else self._kill)[token] = None

    def beat_seen(self, index: int) -> None:
        """Queue the answer to a beat; only the newest is sent."""
        self._beat = index

    @property
    def has_tasks(self) -> bool:
        """Whether a task is queued."""
        return any(event.WhichOneof("event") == "task" for event in self._events)

    @property
    def has_acknowledged(self) -> bool:
        """Whether an acknowledgement is queued."""
        return bool(self._acknowledged)

    def take_verdict(self) -> pb.Verdict | None:
        """The verdicts that are queued."""
        if not (self._keep or self._kill):
            return None
        return pb.Verdict(keep=_some(self._keep), kill=_some(self._kill))

    def take_acknowledged(self) -> pb.Acknowledged | None:
        """The acknowledgements that are queued."""
        if not self._acknowledged:
            return None
        return pb.Acknowledged(tokens=_some(self._acknowledged))

    def take(self, tasks: int | None = None) -> pb.WorkResponse | None:
        """The next message, or None when nothing is queued.

        Args:
            tasks: at most so many; what is queued behind one more waits. None for any number.
        """
        response = pb.WorkResponse()
        size = taken = 0
        for event in self._events:
            if tasks is not None and event.WhichOneof("event") == "task":
                if not tasks:
                    break
                tasks -= 1
            following = event.ByteSize()
            if size and size + following > _ENOUGH_BYTES:
                break
            response.events.append(event)
            size += following
            taken += 1
        del self._events[:taken]
        if (verdict := self.take_verdict()) is not None:
            response.events.append(pb.MasterEvent(verdict=verdict))
        if (acknowledged := self.take_acknowledged()) is not None:
            response.events.append(pb.MasterEvent(acknowledged=acknowledged))
        if self._beat is not None:
            response.events.append(pb.MasterEvent(beat_seen=pb.BeatSeen(index=self._beat)))
            self._beat = None
        return response if response.events else None


def _some(tokens: dict[AttemptToken, None]) -> list[AttemptToken]:
    """Take as many tokens as fit one message."""
    taken = list(tokens)[:_MOST_TOKENS]
    for token in taken:
        del tokens[token]
    return taken
