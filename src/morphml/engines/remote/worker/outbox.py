"""Events on their way to a master: put one by one, taken in batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from morphml.engines.remote.proto import worker_pb2 as pb

#: Bytes of events in one message, unless a single one is larger; messages are limited to 4 MiB.
_BATCH_BYTES = 1 << 20
_BATCH = 1_000
#: Bytes that wait when output, and when reports too, begin to be dropped.
_FULL = {"log": 1 << 20, "report": 8 << 20}
#: Bytes of the largest such event; with a larger one every connection would break anew.
_LARGEST = 2 << 20


class Outbox:
    """A queue that drops output first, then reports, when nobody takes from it."""

    def __init__(self) -> None:
        self._events: deque[tuple[pb.WorkerEvent, int]] = deque()
        self._size = 0
        #: Events dropped so far.
        self.dropped = 0

    def put(self, events: Iterable[pb.WorkerEvent]) -> None:
        """Append events."""
        for event in events:
            full = _FULL.get(event.WhichOneof("event") or "")
            size = event.ByteSize()
            if full is not None and (self._size > full or size > _LARGEST):
                self.dropped += 1
                continue
            self._size += size
            self._events.append((event, size))

    def take(self) -> list[pb.WorkerEvent]:
        """The next events, as many as one message may hold; [] when there are none."""
        taken: list[pb.WorkerEvent] = []
        total = 0
        while self._events and len(taken) < _BATCH:
            size = self._events[0][1]
            if taken and total + size > _BATCH_BYTES:
                break
            total += size
            taken.append(self._events.popleft()[0])
        self._size -= total
        return taken

    def clear(self) -> None:
        """Forget all: the connection that they were for is gone."""
        self._events.clear()
        self._size = 0
