"""The steps of the stream as single calls, for workers that are too small for a stream.

Such a worker registers, asks for tasks, beats and hands results in; all that a stream would carry
waits for its next call. It is silent, suspect and lost by the same rules as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import grpc

from morphml.engines.remote import announcing
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.hub.connection import Connection
from morphml.engines.remote.hub.reading import Accepted, Result, Said, read_event
from morphml.engines.remote.hub.reception import Identity, receive
from morphml.engines.remote.hub.servicer import hear
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import AttemptToken

T = TypeVar("T")
Call: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

#: Longest wait for tasks in one call, and for a result to be stored, in seconds.
_MOST_WAIT_S, _STORE_WAIT_S = 60.0, 2.0


class PollServicer:
    """Workers without a stream.

    Args:
        switchboard: takes what workers say.
        identity: what this master says of itself.
    """

    def __init__(self, switchboard: Switchboard, identity: Callable[[], Identity]) -> None:
        self._switchboard = switchboard
        self._identity = identity

    async def register(
        self, request: pb.RegisterWorkerRequest, call: Call
    ) -> pb.RegisterWorkerResponse:
        """Take a worker; what becomes of what it has may come with a later answer."""
        registration = await _read(
            lambda: announcing.registration_from_proto(request.registration), call
        )
        connection = Connection(registration.worker, None, self._switchboard.lock)
        answer = receive(registration, call.peer(), connection, self._switchboard, self._identity)
        if answer.refusal:
            return pb.RegisterWorkerResponse(welcome=answer)
        with self._switchboard.lock:
            verdict = connection.outbox.take_verdict()
        return pb.RegisterWorkerResponse(welcome=answer, verdict=verdict)

    async def heartbeat(self, request: pb.HeartbeatRequest, call: Call) -> pb.HeartbeatResponse:
        """A sign of life, answered by all that waits for the worker but tasks."""
        beat = await _read(lambda: announcing.beat_from_proto(request.beat), call)
        connection = await self._find(request.worker_id, call)
        self._hear(connection, [beat])
        with self._switchboard.lock:
            connection.outbox.beat_seen(beat.index)
            message = connection.outbox.take(tasks=0)
        return pb.HeartbeatResponse(events=[] if message is None else message.events)

    async def request_task(
        self, request: pb.RequestTaskRequest, call: Call
    ) -> pb.RequestTaskResponse:
        """Tasks as soon as there are any, at most as many as asked for; they count as accepted."""
        connection = await self._find(request.worker_id, call)
        self._hear(connection, [])
        wait_s = min(max(request.wait_s, 0.0), _MOST_WAIT_S)
        await connection.wait(lambda: connection.outbox.has_tasks, wait_s)
        with self._switchboard.lock:
            message = connection.outbox.take(tasks=max(1, request.limit))
        events = [] if message is None else list(message.events)
        tokens = [e.task.attempt.token for e in events if e.WhichOneof("event") == "task"]
        self._hear(connection, [Accepted(tuple(map(AttemptToken, tokens)))])
        return pb.RequestTaskResponse(events=events)

    async def submit_result(
        self, request: pb.SubmitResultRequest, call: Call
    ) -> pb.SubmitResultResponse:
        """Take results and other events; those stored within two seconds are acknowledged."""
        said = await _read(lambda: [read_event(event) for event in request.events], call)
        connection = await self._find(request.worker_id, call)
        await _read(lambda: self._hear(connection, said), call)
        if any(isinstance(each, Result) for each in said):
            await connection.wait(lambda: connection.outbox.has_acknowledged, _STORE_WAIT_S)
        with self._switchboard.lock:
            acknowledged = connection.outbox.take_acknowledged()
            verdict = connection.outbox.take_verdict()
        return pb.SubmitResultResponse(acknowledged=acknowledged, verdict=verdict)

    async def _find(self, worker: str, call: Call) -> Connection:
        connection = self._switchboard.polled(worker)
        if connection is None:
            await call.abort(
                grpc.StatusCode.NOT_FOUND, "this master does not know the worker: register first"
            )
        return connection

    def _hear(self, connection: Connection, said: list[Said]) -> None:
        worker = connection.worker
        self._switchboard.act(lambda book, now: hear(book, worker, said, now))


async def _read(read: Callable[[], T], call: Call) -> T:
    """What ``read`` makes of a request, or the end of the call."""
    try:
        return read()
    except ProtocolError as error:
        await call.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
