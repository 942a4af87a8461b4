"""Files of attempts that workers run over REST: of jobs, and checkpoints of trials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from typing import Annotated, Any, Self

from fastapi import Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from morphml.engines.remote.access import Scope
from morphml.engines.remote.hub.files import Arriving, chunks
from morphml.engines.remote.messages import AttemptName
from morphml.jobs import Artifact
from morphml.master.artifacts import refusals_told
from morphml.server.rest.leasing import CheckpointView
from morphml.server.rest.problems import Refused
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here, Site
from morphml.server.rest.views import AttemptId, GivenId, TaskId, View, attempt_name

router = resource("workers")

_TASK = "/api/distributed/workers/{workerId}/tasks/{taskId}"
_BYTES = "application/octet-stream"
#: A file in the body; read piece by piece, so no parameter of a route.
_TAKES = needs(
    Scope.WORKER,
    requestBody={
        "required": True,
        "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}},
    },
)
_GIVES: Mapping[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {_BYTES: {}}}
}

OfTask = Annotated[TaskId, Path()]
Attempt = Annotated[
    AttemptId, Header(alias="Attempt-Id", description="Secret name of the attempt.")
]
FileName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=128)]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Epochs = Annotated[int, Query(ge=0, le=2**31, description="Epochs done.")]


class FileView(View):
    """The reference to a file, to be put among a job's outputs as it is."""

    #: blake2b of its bytes, 16 bytes, in hexadecimal digits.
    artifact: str
    name: str
    #: Bytes.
    size: int

    @classmethod
    def of(cls, artifact: Artifact) -> Self:
        """The view of a file."""
        return cls(artifact=artifact.digest, name=artifact.name, size=artifact.size)


@router.put(_TASK + "/outputs/{name}", openapi_extra=_TAKES, status_code=201)
async def put_output(
    workerId: GivenId, taskId: OfTask, name: FileName, attemptId: Attempt, here: Here, body: Request
) -> FileView:
    """Put a file that the job puts out; nobody sees it before a result names it."""
    attempt = attempt_name(taskId, attemptId)
    async with _arrived(here, workerId, attempt, body) as file:
        return FileView.of(await run_in_threadpool(here.files.keep_output, attempt, name, file))


@router.get(
    _TASK + "/inputs/{digest}",
    openapi_extra=needs(Scope.WORKER),
    response_class=StreamingResponse,
    responses=dict(_GIVES),
)
def get_input(
    workerId: GivenId, taskId: OfTask, digest: Digest, attemptId: Attempt, here: Here
) -> StreamingResponse:
    """A file of an earlier job that the job's config refers to."""
    found = here.files.input(workerId, attempt_name(taskId, attemptId), digest)
    if found is None:
        raise Refused(
            404,
            "unknown-file",
            f"the job refers to no file with the digest {digest}, or it is not to be had any more",
        )
    artifact, path = found
    return _sent(path, artifact.name)


@router.put(_TASK + "/checkpoint", openapi_extra=_TAKES, status_code=201)
async def put_checkpoint(
    workerId: GivenId, taskId: OfTask, step: Epochs, attemptId: Attempt, here: Here, body: Request
) -> CheckpointView:
    """Put what the trial can go on from, here or elsewhere, if this attempt is lost or pauses."""
    attempt = attempt_name(taskId, attemptId)
    async with _arrived(here, workerId, attempt, body) as file:
        keep = here.files.keep_checkpoint
        return CheckpointView.of(await run_in_threadpool(keep, workerId, attempt, step, file))


@router.get(
    _TASK + "/checkpoint",
    openapi_extra=needs(Scope.WORKER),
    response_class=StreamingResponse,
    responses=dict(_GIVES),
)
def get_checkpoint(
    workerId: GivenId, taskId: OfTask, attemptId: Attempt, here: Here
) -> StreamingResponse:
    """The newest checkpoint of the trial."""
    found = here.files.checkpoint(workerId, attempt_name(taskId, attemptId))
    if found is None:
        raise Refused(404, "no-checkpoint", "the trial has no checkpoint: begin at epoch 0")
    _, path = found
    return _sent(path, path.name)


@asynccontextmanager
async def _arrived(
    here: Site, worker: str, attempt: AttemptName, request: Request
) -> AsyncIterator[Arriving]:
    """The whole body as a file of an attempt that the worker holds, to be kept or dropped."""
    most = here.settings.most_file_bytes
    with await run_in_threadpool(here.files.arriving, worker, attempt, most) as file:
        await _receive(request, file)
        yield file


async def _receive(request: Request, file: Arriving) -> None:
    try:
        async for piece in request.stream():
            with refusals_told(file.part):
                taken = await run_in_threadpool(file.write, piece)
            if not taken:
                raise Refused(413, "too-large", f"at least {file.size} bytes are too many")
    except ClientDisconnect as error:
        raise Refused(
            400, "incomplete", "the connection broke before the file was whole"
        ) from error


def _sent(path: FilePath, name: str) -> StreamingResponse:
    """The file, to be kept and not to be shown."""
    with refusals_told(path):
        size = path.stat().st_size
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(chunks(path), media_type=_BYTES, headers=headers)
