"""The worker's own service, for operators: what it does, one evaluation by hand, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import grpc
import grpc.aio

from morphml.engines.remote import checking
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.access.health import HealthChecks
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.engines.remote.worker.happenings import (
    CancelAsked,
    DrainAsked,
    EvaluateAsked,
    Hopeless,
    News,
    StatusAsked,
)
from morphml.errors import CallerError

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
_Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"

SERVICE = "morphml.worker.v1.WorkerService"
_UNGUARDED = "this worker asks nobody for a token, so all that one may ask it for is its status"


class OperatorService(rpc.WorkerServiceServicer):
    """Answers operators, on the worker's event loop.

    Args:
        access: who is let in; without tokens only the status is told.
        tell: takes questions.
    """

    def __init__(self, access: ServerAccess, tell: Callable[[News], None]) -> None:
        self._access = access
        self._tell = tell
        self._guarded = bool(access.interceptors)

    async def serve(self, listen: str) -> None:
        """Serve on ``host:port`` until cancelled."""
        server = self._access.server()
        rpc.add_WorkerServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # generated
        checks = HealthChecks(server, SERVICE)
        try:
            port = self._access.bind(server, listen)
        except CallerError as error:
            self._tell(Hopeless(reason=str(error)))
            return
        await server.start()
        await checks.serve()
        _log.info("operators are answered on port %d", port)
        try:
            await server.wait_for_termination()
        finally:
            await server.stop(0.0)

    async def GetStatus(  # noqa: D102  # the protocol says it
        self, _request: pb.GetStatusRequest, _context: _Context
    ) -> pb.GetStatusResponse:
        return await self._ask(lambda answer: StatusAsked(answer=answer))

    async def CancelTask(  # noqa: D102  # the protocol says it
        self, request: pb.CancelTaskRequest, context: _Context
    ) -> pb.CancelTaskResponse:
        await self._check_guard(context)
        try:
            token = checking.token(request.token)
        except ProtocolError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        known: bool = await self._ask(lambda answer: CancelAsked(token=token, answer=answer))
        return pb.CancelTaskResponse(known=known)

    async def Shutdown(  # noqa: D102  # the protocol says it
        self, request: pb.ShutdownRequest, context: _Context
    ) -> pb.ShutdownResponse:
        await self._check_guard(context)
        reason = "an operator asked for it"
        self._tell(DrainAsked(reason=reason, grace_s=max(0.0, request.grace_s)))
        return pb.ShutdownResponse()

    async def Evaluate(  # noqa: D102  # the protocol says it
        self, request: pb.EvaluateRequest, context: _Context
    ) -> pb.EvaluateResponse:
        await self._check_guard(context)
        result: pb.Result | str = await self._ask(
            lambda answer: EvaluateAsked(request=request, answer=answer)
        )
        if isinstance(result, str):
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, result)
        return pb.EvaluateResponse(result=result)

    async def _check_guard(self, context: _Context) -> None:
        if not self._guarded:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, _UNGUARDED)

    async def _ask(self, question: Callable[[Callable[[Answer], None]], News]) -> Answer:
        """Ask the worker, and wait for its answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def settle(value: Answer) -> None:
            if not future.done():  # who asked may have left
                future.set_result(value)

        self._tell(question(settle))
        return await future
