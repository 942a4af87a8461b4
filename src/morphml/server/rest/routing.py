"""Routes that judge a request before they read its body."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from typing import Any, cast

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from morphml.engines.remote.access import Scope
from morphml.server.rest.door import too_large
from morphml.server.rest.problems import MEDIA_TYPE, Refused
from morphml.server.rest.site import Site

#: Key of the OpenAPI document under which an operation says what token it needs.
SCOPE = "x-morphml-scope"
FREE = "none"
#: Where the OpenAPI document has its schemas.
SCHEMAS = "#/components/schemas/"


def needs(scope: Scope | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # OpenAPI's own JSON
    """What an operation says of itself: the scope of the token that it needs, None for none."""
    needed = FREE if scope is None else scope.value
    security: list[dict[str, list[str]]] = [] if scope is None else [{"token": []}]
    return {SCOPE: needed, "security": security, **more}


def scope_needed(extra: Mapping[str, Any] | None) -> Scope | None:
    """The scope that an operation needs; one that says nothing needs `admin`."""
    said = (extra or {}).get(SCOPE, Scope.ADMIN.value)
    return None if said == FREE else Scope(said)


class GuardedRoute(APIRoute):
    """Judges rate and token first, and reads JSON as strictly as the store writes it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the guard."""
        handle = super().get_route_handler()
        needed = scope_needed(self.openapi_extra)

        async def guarded(request: Request) -> Response:
            _admit(request, needed)
            return await handle(_StrictRequest(request.scope, request.receive))

        return guarded


def resource(name: str) -> APIRouter:
    """A router for one resource; its operations answer problems where they cannot do as asked."""
    problem = {
        "description": "What went wrong (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{SCHEMAS}Problem"}}},
    }
    return APIRouter(
        tags=[name],
        route_class=GuardedRoute,
        responses=cast("dict[int | str, dict[str, Any]]", {"default": problem}),
    )


class _StrictRequest(Request):
    """A request of a bounded body, whose JSON has no NaN and no lone surrogates.

    No store takes those.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, up to a limit."""
        site: Site = self.app.state.site
        size, most = 0, site.door.most_bytes(self.method)
        async for piece in super().stream():
            size += len(piece)
            if size > most:
                raise HTTPException(413, too_large(most))
            yield piece

    async def json(self) -> Any:  # noqa: ANN401  # as inherited
        return orjson.loads(await self.body())


def _admit(request: Request, needed: Scope | None) -> None:
    site: Site = request.app.state.site
    # Workers are many behind one address, and what they do not say is taken for their death.
    if needed is not Scope.WORKER:
        client = "" if request.client is None else request.client.host
        if wait := site.rates.wait_s(client):
            raise Refused(
                429,
                "too-many-requests",
                f"at most {site.settings.rate:g} requests a second; wait {wait:.2f} s",
                {"Retry-After": str(max(1, round(wait)))},
            )
    refusal = site.door.no_right(needed, request.headers.get("authorization", ""))
    if refusal is not None:
        challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
        raise Refused(refusal.status, refusal.kind, refusal.detail, challenge)
