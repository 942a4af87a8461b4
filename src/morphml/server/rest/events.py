"""Events of an execution as they are stored, sent to whoever listens (server-sent events)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import Header, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from morphml.engines.remote.access import Scope
from morphml.master.workflows import ExecutionEvent
from morphml.server.rest.jobs import Seq
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here
from morphml.server.rest.tails import Tails
from morphml.server.rest.views import Id
from morphml.workflow import ExecutionState

router = resource("executions")

LastSeen = Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,15}$")]


@router.get(
    "/api/distributed/execute/{executionId}/events",
    openapi_extra=needs(Scope.SUBMIT),
    response_class=StreamingResponse,
    responses={
        200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}},
        204: {"description": "It is over, and everything was read."},
    },
)
async def events(
    executionId: Id,
    here: Here,
    after: Seq = 0,
    last: LastSeen = None,
) -> Response:
    """What has happened and what happens in an execution, until it is over.

    Each event has a sequence number as its id, `execution` or `job` as its name, and a JSON object:
    `job`, `status`, `reason`, `at`. Whoever comes back says the last id in `Last-Event-ID`.
    """
    seen = await run_in_threadpool(here.executions.show, executionId)
    begin = max(after, int(last or 0))
    if seen.state.ended and seen.seq <= begin:
        return Response(status_code=204)
    return StreamingResponse(
        _stream(here.tails, executionId, begin, seen.seq),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(tails: Tails, execution: str, after: int, newest: int) -> AsyncIterator[bytes]:
    async with tails.listening(execution, newest) as tail:
        while True:
            found = await tail.after(after)
            if not found:
                yield b": still here\n\n"
            for event in found:
                after = event.seq
                yield text_of(event)
            if found and _is_end(found[-1]):
                return


def text_of(event: ExecutionEvent) -> bytes:
    """An event as it travels."""
    shown = {"job": event.job, "status": event.state, "reason": event.reason, "at": event.at}
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.seq,
        event.kind.encode(),
        orjson.dumps(shown),
    )


def _is_end(event: ExecutionEvent) -> bool:
    return event.kind == "execution" and ExecutionState(event.state).ended
