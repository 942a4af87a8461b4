"""Code that jobs of a workflow are imported from: put before the workflow that names it."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from morphml.engines.remote.access import Scope
from morphml.evaluation.bundle import BundleLimits
from morphml.server.rest.problems import Refused
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here
from morphml.server.rest.views import View

router = resource("executions")

_MOST_BYTES = BundleLimits().packed_bytes
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="sha256 of the bundle.")]


class BundleView(View):
    """A bundle of source that the store has."""

    #: What a workflow calls its `source`.
    source: str
    #: Bytes.
    size: int


@router.put(
    "/api/v1/bundles/{digest}",
    openapi_extra=needs(
        Scope.SUBMIT,
        requestBody={
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
    ),
    status_code=201,
)
async def put_bundle(digest: Sha256, here: Here, body: Request) -> BundleView:
    """Put a bundle of source, a gzipped tar file of at most 10 MiB; twice does nothing more."""
    data = await _read(body)
    if hashlib.sha256(data).hexdigest() != digest:
        raise Refused(422, "wrong-digest", "what came has another sha256 than its address says")
    await run_in_threadpool(here.store.bundles.put, digest, [data])
    return BundleView(source=digest, size=len(data))


async def _read(request: Request) -> bytes:
    data = bytearray()
    try:
        async for piece in request.stream():
            data += piece
            if len(data) > _MOST_BYTES:
                raise Refused(413, "too-large", f"a bundle has at most {_MOST_BYTES} bytes")
    except ClientDisconnect as error:
        raise Refused(
            400, "incomplete", "the connection broke before the bundle was whole"
        ) from error
    return bytes(data)
