"""Files to and from a master, in chunks over the connection of the stream."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

import grpc
import grpc.aio

from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.engines.remote.wire import attempt_to_proto
from morphml.errors import WorkerError
from morphml.evaluation.checkpoint import file_digest
from morphml.jobs import Artifact

#: Bytes of one chunk.
CHUNK = 1 << 20
#: What a master says that will not answer otherwise the next time.
_FINAL = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
)


def is_final(error: grpc.aio.AioRpcError) -> bool:
    """Whether asking again, or another master, will not help."""
    return error.code() in _FINAL


def file_name(attempt: AttemptName, file: CheckpointFile | Artifact) -> pb.FileName:
    """The name of a checkpoint, or of a job's file, as a message."""
    if isinstance(file, Artifact):
        return pb.FileName(
            attempt=attempt_to_proto(attempt),
            digest=file.digest,
            size=file.size,
            artifact=file.name,
        )
    return pb.FileName(
        attempt=attempt_to_proto(attempt), step=file.step, digest=file.digest, size=file.size
    )


async def upload(stub: rpc.MasterServiceStub, name: pb.FileName, path: Path) -> str:
    """Send a file; returns "" when it was taken, else why not.

    Raises:
        OSError: when it cannot be read.
        grpc.aio.AioRpcError: when the call fails.
    """
    with path.open("rb") as file:
        response: pb.UploadFileResponse = await stub.UploadFile(_parts(name, file))
    return "" if response.stored else response.reason or "the master did not store it"


async def _parts(name: pb.FileName, file: BinaryIO) -> AsyncIterator[pb.UploadFileRequest]:
    yield pb.UploadFileRequest(name=name)
    for chunk in _chunks(file):
        yield pb.UploadFileRequest(data=chunk)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


async def download(
    stub: rpc.MasterServiceStub, request: pb.DownloadFileRequest, part: Path
) -> None:
    """Fetch a file into ``part``.

    Raises:
        OSError: when it cannot be written.
        grpc.aio.AioRpcError: when the call fails.
    """
    with part.open("wb") as file:
        async for response in stub.DownloadFile(request):
            file.write(response.data)


def take(part: Path, file: CheckpointFile | Artifact, path: Path) -> None:
    """Put a file that was fetched where it belongs, if it is the one wanted.

    Raises:
        WorkerError: when it is another one.
        OSError: when it cannot be read.
    """
    found = file_digest(part)
    if file.digest and found != file.digest:
        with contextlib.suppress(OSError):
            part.unlink()
        raise WorkerError(f"the {said(file)} arrived with digest {found}, expected {file.digest}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)


def said(file: CheckpointFile | Artifact) -> str:
    """The file in words."""
    if isinstance(file, Artifact):
        return f"file {file.name}"
    return f"checkpoint of step {file.step}"
