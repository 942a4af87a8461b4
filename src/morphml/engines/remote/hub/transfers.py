"""Uploads and downloads: files of attempts that the caller knows the token of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeAlias

import grpc

from morphml.engines.remote import checking, wire
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.hub.attempt import LIVE, Attempt, Upload
from morphml.engines.remote.hub.files import CHUNK, Incoming, chunks
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import MorphError, WorkflowError
from morphml.jobs import Artifact

Call: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class TransferServicer:
    """Files between this master and its workers.

    Args:
        switchboard: knows the attempts.
        records: knows where files lie.
        pool: threads that read and write them.
    """

    def __init__(self, switchboard: Switchboard, records: Records, pool: Executor) -> None:
        self._switchboard = switchboard
        self._records = records
        self._pool = pool

    # --- uploads ---------------------------------------------------------------------------------

    async def upload(
        self, requests: AsyncIterator[pb.UploadFileRequest], call: Call
    ) -> pb.UploadFileResponse:
        """Store a checkpoint, or a file that a job puts out, of an attempt that the caller runs."""
        first = await anext(requests, None)
        try:
            if first is None or first.WhichOneof("part") != "name":
                raise ProtocolError("the first part of an upload names the file")
            name, file = _file_name(first.name)
            artifact = _artifact(first.name)
        except ProtocolError as error:
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        why = self._objection(name, file)
        if not why:
            why = await self._receive(requests, name, artifact or file)
        if not why and artifact is not None:
            await self._share(name, artifact, call)
        return pb.UploadFileResponse(stored=not why, reason=why)

    async def _share(self, name: AttemptName, artifact: Artifact, call: Call) -> None:
        loop = asyncio.get_running_loop()
        try:
            share = self._records.share_artifact
            await loop.run_in_executor(self._pool, share, name.owner, artifact)
        except MorphError as error:
            await call.abort(grpc.StatusCode.UNAVAILABLE, f"the file cannot be kept now: {error}")

    def _objection(self, name: AttemptName, file: CheckpointFile) -> str:
        attempt = self._live(name)
        if attempt is None:
            return "the attempt is not one of this master's"
        if file.size > self._switchboard.settings.max_file_bytes:
            return f"the file has {file.size} bytes, more than are taken"
        if attempt.gang is not None and attempt is not attempt.gang.members[0]:
            return "of processes that run a trial together, only checkpoints of rank 0 are kept"
        return ""

    async def _receive(
        self,
        requests: AsyncIterator[pb.UploadFileRequest],
        name: AttemptName,
        file: CheckpointFile | Artifact,
    ) -> str:
        loop = asyncio.get_running_loop()
        try:
            path = await loop.run_in_executor(self._pool, self._place_of, name, file)
            if path is None:
                return ""
            incoming = await loop.run_in_executor(self._pool, Incoming, path, file)
        except (OSError, MorphError) as error:
            return f"the file cannot be stored: {error}"
        done = False
        try:
            async for request in requests:
                if request.WhichOneof("part") != "data" or len(request.data) > CHUNK:
                    return f"a part that is not data of at most {CHUNK} bytes"
                if not await loop.run_in_executor(self._pool, incoming.write, request.data):
                    return f"more than the {file.size} bytes that were announced"
            why = await loop.run_in_executor(self._pool, incoming.finish)
            done = True
        except OSError as error:
            return f"the file cannot be stored: {error}"
        finally:
            if not done:
                incoming.drop()
        attempt = self._live(name)
        if not why and attempt is not None and isinstance(file, CheckpointFile):
            attempt.uploads[file.step] = Upload(path=path, digest=file.digest)
        return why

    def _place_of(self, name: AttemptName, file: CheckpointFile | Artifact) -> Path | None:
        """Where an upload goes; None where that very file lies there already."""
        if isinstance(file, CheckpointFile):
            return self._records.checkpoint_path(self._known_as(name), file.step)
        folder = self._records.artifacts(name.owner)
        return None if folder.has(file) else folder.path(file)

    def _known_as(self, name: AttemptName) -> AttemptName:
        """The attempt as the store knows it."""
        attempt = self._live(name)
        return name if attempt is None else attempt.head.name

    def _live(self, name: AttemptName) -> Attempt | None:
        with self._switchboard.lock:
            attempt = self._switchboard.book.attempt(name.token)
        if attempt is None or attempt.state not in LIVE or attempt.name != name:
            return None
        return attempt

    # --- downloads -------------------------------------------------------------------------------

    async def download(
        self, request: pb.DownloadFileRequest, call: Call
    ) -> AsyncIterator[pb.DownloadFileResponse]:
        """What a task of the caller's needs: its checkpoint, a file of an earlier job, a bundle."""
        loop = asyncio.get_running_loop()
        try:
            pieces = await loop.run_in_executor(self._pool, self._open, request)
        except ProtocolError as error:
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (OSError, MorphError) as error:
            await call.abort(grpc.StatusCode.UNAVAILABLE, f"the file cannot be read now: {error}")
        if pieces is None:
            await call.abort(grpc.StatusCode.NOT_FOUND, "there is no such file")
        while (piece := await loop.run_in_executor(self._pool, next, pieces, None)) is not None:
            for start in range(0, len(piece), CHUNK):
                yield pb.DownloadFileResponse(data=piece[start : start + CHUNK])

    def _open(self, request: pb.DownloadFileRequest) -> Iterator[bytes] | None:
        match request.WhichOneof("what"):
            case "bundle":
                return self._records.bundle(checking.identifier(request.bundle, "bundle"))
            case "checkpoint":
                name, _ = _file_name(request.checkpoint)
                attempt = self._live(name)
                if attempt is None or attempt.assignment is None:
                    return None
                path = attempt.assignment.checkpoint
                return chunks(path) if path is not None and path.exists() else None
            case "artifact":
                name, _ = _file_name(request.artifact)
                artifact = _artifact(request.artifact)
                if artifact is None or self._live(name) is None:
                    return None
                folder = self._records.artifacts(name.owner)
                here = folder.has(artifact) or self._records.fetch_artifact(name.owner, artifact)
                return chunks(folder.path(artifact)) if here else None
            case _:
                raise ProtocolError("a download names what is wanted")


def _artifact(message: pb.FileName) -> Artifact | None:
    """The file of a job that is meant; None for a checkpoint."""
    if not message.artifact:
        return None
    try:
        return Artifact(digest=message.digest, name=message.artifact, size=message.size)
    except WorkflowError as error:
        raise ProtocolError(str(error)) from None


def _file_name(message: pb.FileName) -> tuple[AttemptName, CheckpointFile]:
    digest = str(checking.token(message.digest)) if message.digest else ""
    step = checking.whole(message.step, "step", 0, 2**62)
    file = CheckpointFile(step=step, digest=digest, size=message.size)
    return wire.attempt_from_proto(message.attempt), file
