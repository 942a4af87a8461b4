"""The gRPC face of a hub: a thin shell that reads, hands to the book, and writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias, assert_never

import grpc

from morphml.engines.port import Checkpointed, Logged, Reported, Started
from morphml.engines.remote.access.once import MOST_PEERS, Once
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.hub.beats import Beats
from morphml.engines.remote.hub.book import Book
from morphml.engines.remote.hub.connection import STREAM_ENDED, Connection
from morphml.engines.remote.hub.reading import (
    Accepted,
    Draining,
    GivenBack,
    Leaving,
    Prepared,
    Result,
    Said,
    Saved,
    read_request,
)
from morphml.engines.remote.hub.reception import Identity, receive
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.meeting import host_of
from morphml.engines.remote.messages import Beat, Registration
from morphml.engines.remote.proto import worker_pb2 as pb

_LOG = logging.getLogger(__name__)

#: A call as the server hands it over; requests are bytes, so that this side checks them.
Call: TypeAlias = "grpc.aio.ServicerContext[bytes, Any]"

#: Seconds between two looks whether a stream may be read again.
_HOLD_S = 0.1


class WorkServicer:
    """The stream of each worker.

    Args:
        switchboard: takes what workers say.
        identity: what this master says of itself.
    """

    def __init__(self, switchboard: Switchboard, identity: Callable[[], Identity]) -> None:
        self._switchboard = switchboard
        self._settings = switchboard.settings
        self._identity = identity
        self._beats = Beats()
        #: Who was sent away and why: a worker that other masters may take comes again and again.
        self._sent_away = Once(MOST_PEERS)

    def hear_beats(self) -> None:
        """Hear the beats that wait, and answer them; on the event loop, a few times a second."""
        with self._switchboard.lock:
            for connection, said in self._beats.take().items():
                self._take(connection, said)
                self._switchboard.poke(connection)

    async def work(self, _: AsyncIterator[bytes], call: Call) -> None:
        """One worker's stream, from its registration to its end."""
        connection: Connection | None = None
        try:
            connection = await self._greet(call)
            if connection is not None:
                await self._serve(connection, call)
        except ProtocolError as error:
            name = "a stranger" if connection is None else f"worker {connection.worker}"
            if self._sent_away.first((host_of(call.peer()), str(error))):
                _LOG.warning("%s at %s is sent away: %s", name, call.peer(), error)
            self._lose(connection)
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except STREAM_ENDED as error:
            _LOG.debug("a stream ended while it was written: %s", error)
        except asyncio.CancelledError:
            closing = None if connection is None else connection.closing
            self._lose(connection)
            if closing is None:
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            await call.abort(*closing)
        finally:
            self._lose(connection)

    # --- greeting --------------------------------------------------------------------------------

    async def _greet(self, call: Call) -> Connection | None:
        """The stream of a worker that is taken; None for one that ended without a word."""
        try:
            async with asyncio.timeout(self._settings.greet_within_s):
                said = await _read(call)
        except TimeoutError:
            raise ProtocolError("no registration came") from None
        if said is None:
            return None
        if not said or not isinstance(said[0], Registration):
            raise ProtocolError("the first message of a stream holds a registration")
        registration = said[0]
        connection = Connection(registration.worker, call, self._switchboard.lock)
        answer = receive(registration, call.peer(), connection, self._switchboard, self._identity)
        if answer.refusal:
            if self._sent_away.first((registration.worker, answer.refusal)):
                _LOG.warning("worker %s is not taken: %s", registration.name, answer.refusal)
            await call.write(pb.WorkResponse(events=[pb.MasterEvent(welcome=answer)]))
            await call.abort(grpc.StatusCode.FAILED_PRECONDITION, answer.refusal)
        _LOG.info("worker %s (%s) is here", registration.name, registration.worker)
        self._take(connection, said[1:])
        await connection.flush()
        return connection

    # --- reading ---------------------------------------------------------------------------------

    async def _serve(self, connection: Connection, call: Call) -> None:
        while (said := await _read(call)) is not None:
            if not self._switchboard.is_current(connection):
                return
            now = self._beats.sift(connection, said)
            if not now:
                continue
            self._take(connection, now)
            await connection.flush()
            if self._switchboard.book.ledger.swollen:
                await self._hold(connection)

    async def _hold(self, connection: Connection) -> None:
        """Read no further while too much waits; the worker sees that it is heard."""
        worker, loop = connection.worker, asyncio.get_running_loop()
        sign_at = loop.time()
        while self._switchboard.act(lambda book, _: book.workers.congested(worker)):
            if loop.time() >= sign_at:
                sign_at += self._settings.beat_s
                with self._switchboard.lock:
                    self._switchboard.act(lambda book, now: book.workers.heard(worker, now))
                    connection.outbox.beat_seen(connection.beat)
                await connection.flush()
            await asyncio.sleep(_HOLD_S)

    def _take(self, connection: Connection, said: list[Said]) -> None:
        with self._switchboard.lock:
            if not self._switchboard.is_current(connection):
                return
            for each in said:
                if isinstance(each, Beat):
                    connection.beat = each.index
                    connection.outbox.beat_seen(each.index)
            self._switchboard.act(lambda book, now: hear(book, connection.worker, said, now))

    def _lose(self, connection: Connection | None) -> None:
        if connection is not None:
            with self._switchboard.lock:
                if self._switchboard.disconnect(connection):
                    worker = connection.worker
                    self._switchboard.act(lambda book, now: book.workers.broke(worker, now))


async def _read(call: Call) -> list[Said] | None:
    """What the next message says; None at the end of the stream.

    Raises:
        ProtocolError: when it is none.
    """
    data: object = await call.read()
    return read_request(data) if isinstance(data, bytes) else None


def hear(book: Book, worker: str, said: list[Said], now: Moment) -> None:
    """Take in all that one message of a worker says, in order.

    Raises:
        ProtocolError: for a second registration.
    """
    book.workers.heard(worker, now)
    for each in said:
        _hear(book, worker, each, now)


def _hear(book: Book, worker: str, said: Said, now: Moment) -> None:
    workers = book.workers
    match said:
        case Beat():
            workers.beat(worker, said, now)
        case Result():
            workers.result(worker, said.attempt, said.end, now)
        case Started() | Reported() | Logged():
            workers.event(worker, said)
        case Accepted():
            workers.accepted(worker, said.tokens)
        case Saved():
            _saved(book, worker, said)
        case GivenBack():
            workers.returned(worker, said.tokens, now)
        case Prepared():
            book.preparing.ready(worker, said.experiment, now)
        case Draining():
            workers.drains(worker)
        case Leaving():
            workers.left(worker, now)
        case Registration():
            raise ProtocolError("a second registration on one stream")
        case _:
            assert_never(said)


def _saved(book: Book, worker: str, said: Saved) -> None:
    attempt = book.attempt(said.token)
    upload = None if attempt is None else attempt.uploads.get(said.checkpoint.step)
    if upload is None or upload.digest != said.checkpoint.digest:
        _LOG.warning("worker %s names a checkpoint that it has not uploaded", worker)
        return
    event = Checkpointed(
        token=said.token, step=said.checkpoint.step, path=upload.path, digest=upload.digest
    )
    book.workers.event(worker, event)
