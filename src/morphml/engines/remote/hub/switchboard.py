"""Joins the book with streams, lanes and the store: performs what the book decides.

One lock guards the book and all outboxes; it is held for microseconds, and never while anything
waits. What the event loop has to do about a change made by another thread is handed to it in one
callback for many changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TypeVar, assert_never

import grpc

from morphml.clock import Clock
from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.hub.book import Book, Effects
from morphml.engines.remote.hub.commands import (
    AskRecords,
    CloseStream,
    Command,
    SendAcknowledged,
    SendContext,
    SendDrain,
    SendOrder,
    SendTask,
    SendVerdict,
)
from morphml.engines.remote.hub.connection import STREAM_ENDED, Connection
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import ExperimentId

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Switchboard:
    """The shared heart of a hub; thread-safe.

    Args:
        settings: times and sizes.
        clock: tells the time.
    """

    def __init__(self, settings: HubSettings, clock: Clock) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self.book = Book(settings)
        #: What attempts of each experiment share, ready to be sent.
        self.contexts: dict[ExperimentId, pb.Context] = {}
        #: Called on the event loop.
        self.on_ask: Callable[[AskRecords], None] = lambda _: None
        self.on_told_elsewhere: Callable[[ExperimentId], None] = lambda _: None
        self._clock = clock
        self._connections: dict[str, Connection] = {}
        self._bells: dict[ExperimentId, threading.Condition] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poked: dict[str, Connection] = {}
        #: With something queued that goes with the next message, or by itself a little later.
        self._later: dict[str, Connection] = {}
        self._closings: list[tuple[Connection, str]] = []
        self._asks: list[AskRecords] = []
        self._elsewhere: set[ExperimentId] = set()
        self._scheduled = False
        self._flushes: set[asyncio.Task[None]] = set()

    def run_on(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """The event loop that streams live on; None once it has ended."""
        with self.lock:
            self._loop = loop
            self._scheduled = False
            self._schedule()

    def moment(self) -> Moment:
        """Now."""
        return Moment(self._clock.monotonic(), self._clock.now())

    def act(self, change: Callable[[Book, Moment], T]) -> T:
        """Change the book, and do what follows."""
        with self.lock:
            answer = change(self.book, self.moment())
            self._perform(self.book.take())
            return answer

    def forget_all(self) -> None:
        """Forget every attempt and worker; all streams end, and lanes stay."""
        with self.lock:
            self._asks.clear()
            self.act(lambda book, _: book.clear())

    # --- listeners -------------------------------------------------------------------------------

    def bell(self, experiment: ExperimentId) -> threading.Condition:
        """Rings when something is to be told of the experiment."""
        with self.lock:
            return self._bells.setdefault(experiment, threading.Condition(self.lock))

    def ring(self, experiment: ExperimentId) -> None:
        """Wake whoever waits for events of the experiment."""
        with self.lock:
            if experiment in self._bells:
                self._bells[experiment].notify_all()

    # --- streams; on the event loop --------------------------------------------------------------

    def connect(self, connection: Connection) -> None:
        """The worker's stream is this one; an older one of the same worker ends."""
        with self.lock:
            old = self._connections.get(connection.worker)
            self._connections[connection.worker] = connection
            if old is not None:
                self._closings.append((old, "the worker has opened another stream"))
                self._schedule()

    def disconnect(self, connection: Connection) -> bool:
        """The stream ended; whether it was still the worker's own."""
        with self.lock:
            if self._connections.get(connection.worker) is not connection:
                return False
            del self._connections[connection.worker]
            return True

    def polled(self, worker: str) -> Connection | None:
        """The worker that comes to fetch what is queued for it, if it is here."""
        connection = self._connections.get(worker)
        return connection if connection is not None and connection.polled else None

    def poke(self, connection: Connection) -> None:
        """Send what is queued for the worker, soon."""
        with self.lock:
            self._poked[connection.worker] = connection
            self._schedule()

    def send_what_waits(self) -> None:
        """Send what no other message took along; called a few times a second."""
        with self.lock:
            if self._later:
                self._poked.update(self._later)
                self._later = {}
                self._schedule()

    def tell_all(self, event: pb.MasterEvent) -> None:
        """Send something to every worker that is connected."""
        with self.lock:
            for connection in self._connections.values():
                connection.outbox.put(event)
            self._poked.update(self._connections)
            self._schedule()

    def is_current(self, connection: Connection) -> bool:
        """Whether no newer stream of the worker is there."""
        return self._connections.get(connection.worker) is connection

    def connections(self) -> list[Connection]:
        """All streams."""
        with self.lock:
            return list(self._connections.values())

    # --- performing; under the lock --------------------------------------------------------------

    def _perform(self, effects: Effects) -> None:
        for command in effects.commands:
            self._do(command)
        for experiment in effects.told:
            group = self.book.ledger.groups.get(experiment)
            if group is not None and not group.attached:
                self._elsewhere.add(experiment)
            elif experiment in self._bells:
                self._bells[experiment].notify_all()
        for experiment in effects.over:
            self.contexts.pop(experiment, None)
        if self._poked or self._closings or self._asks or self._elsewhere:
            self._schedule()

    def _do(self, command: Command) -> None:
        if isinstance(command, AskRecords):
            self._asks.append(command)
            return
        if isinstance(command, CloseStream):
            _LOG.info("worker %s: %s", command.worker, command.reason)
        connection = self._connections.get(command.worker)
        if connection is None:
            return  # what matters is said again when the worker is back
        outbox = connection.outbox
        match command:
            case SendTask():
                outbox.task(command.attempt, self.contexts[command.attempt.name.owner])
            case SendContext():
                outbox.context(command.experiment, self.contexts[command.experiment])
            case SendAcknowledged():
                outbox.acknowledge(command.token)
                if not connection.polled:
                    self._later[command.worker] = connection
                    return
            case SendVerdict():
                outbox.verdict(command.token, keep=command.keep)
            case SendOrder():
                order = pb.Order(token=command.token, order=command.order.value)
                outbox.put(pb.MasterEvent(order=order))
            case SendDrain():
                drain = pb.Drain(reason=command.reason, grace_s=command.grace_s)
                outbox.put(pb.MasterEvent(drain=drain))
            case CloseStream():
                self._closings.append((connection, command.reason))
                return
            case _:
                assert_never(command)
        self._poked[command.worker] = connection

    def _schedule(self) -> None:
        if not self._scheduled and self._loop is not None:
            self._scheduled = True
            self._loop.call_soon_threadsafe(self._catch_up)

    def _catch_up(self) -> None:
        """On the event loop: send, close, ask and pass on what was decided."""
        with self.lock:
            self._scheduled = False
            poked, self._poked = self._poked, {}
            closings, self._closings = self._closings, []
            asks, self._asks = self._asks, []
            elsewhere, self._elsewhere = self._elsewhere, set()
        for connection in poked.values():
            self._start_flush(connection)
        for connection, reason in closings:
            if connection.polled:
                self.disconnect(connection)
            else:
                connection.close(grpc.StatusCode.UNAVAILABLE, reason)
        for ask in asks:
            self.on_ask(ask)
        for experiment in elsewhere:
            self.on_told_elsewhere(experiment)

    def _start_flush(self, connection: Connection) -> None:
        task = asyncio.ensure_future(_flush(connection))
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)


async def _flush(connection: Connection) -> None:
    """Send what is queued; a stream that has ended is noticed by whoever reads it."""
    with contextlib.suppress(*STREAM_ENDED):
        await connection.flush()
