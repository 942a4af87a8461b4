"""Refuses requests by their headers before anything else looks at them."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from morphml.server.rest.door import Door
from morphml.server.rest.problems import answer, problem_of


class Admission:
    """The door as a layer around the application.

    Args:
        app: what is behind it.
        door: who is let in.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass the request on."""
        if scope["type"] == "http":
            headers = {name: value for name, value in Headers(scope=scope).items()}
            refusal = self._door.refusal(scope["method"], scope["scheme"], headers)
            if refusal is not None:
                problem = problem_of(
                    refusal.status, refusal.kind, refusal.detail, instance=scope["path"]
                )
                await answer(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)
