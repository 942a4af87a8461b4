"""Errands over the connection: fetch what attempts need, upload what they saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio

from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.worker import files
from morphml.engines.remote.worker.happenings import (
    ArtifactWanted,
    BundleWanted,
    CheckpointWanted,
    Fetched,
    Happening,
    Uploaded,
    Wanted,
)
from morphml.engines.remote.worker.link import Connection, Link
from morphml.engines.remote.worker.scratch import Scratch
from morphml.errors import MorphError, WorkerError
from morphml.evaluation.bundle import extract
from morphml.jobs import Artifact

_NOBODY = "no master is connected"


class Transfers:
    """Files of attempts between this worker and its master.

    Args:
        link: the connection.
        scratch: where files are.
        deliver: takes what happened.
    """

    def __init__(self, link: Link, scratch: Scratch, deliver: Callable[[Happening], None]) -> None:
        self._link = link
        self._scratch = scratch
        self._deliver = deliver

    def upload(self, attempt: AttemptName, file: CheckpointFile | Artifact) -> None:
        """Send a checkpoint that was kept, or a job's file; the answer is an ``Uploaded``."""
        self._link.run_errand(lambda connection: self._upload(connection, attempt, file))

    def fetch(self, wanted: Wanted) -> None:
        """Fetch a file; the answer is a ``Fetched``."""
        self._link.run_errand(lambda connection: self._fetch(connection, wanted))

    async def _upload(
        self, connection: Connection | None, attempt: AttemptName, file: CheckpointFile | Artifact
    ) -> None:
        problem, again = _NOBODY, True
        if connection is not None:
            path = self._scratch.outgoing(attempt, file)
            try:
                problem = await files.upload(connection.stub, files.file_name(attempt, file), path)
                again = False
            except grpc.aio.AioRpcError as error:
                problem, again = _said(error), not files.is_final(error)
            except OSError as error:
                problem, again = f"{path.name}: {error.strerror or error}", False
        self._deliver(
            Uploaded(
                attempt=attempt,
                file=file,
                master=connection.master if connection else "",
                problem=problem,
                again=again,
            )
        )

    async def _fetch(self, connection: Connection | None, wanted: Wanted) -> None:
        problem, again = _NOBODY, True
        if connection is not None:
            try:
                await self._get(connection, wanted)
                problem, again = "", False
            except grpc.aio.AioRpcError as error:
                problem, again = f"{_what(wanted)}: {_said(error)}", not files.is_final(error)
            except (OSError, MorphError) as error:
                problem, again = f"{_what(wanted)}: {error}", False
        self._deliver(Fetched(wanted=wanted, problem=problem, again=again))

    async def _get(self, connection: Connection, wanted: Wanted) -> None:
        match wanted:
            case BundleWanted(digest=name):
                part = self._scratch.part(f"{name}.bundle")
                request = pb.DownloadFileRequest(bundle=name)
                await files.download(connection.stub, request, part)
                await asyncio.to_thread(_unpack, part, self._scratch.bundles, name)
            case CheckpointWanted(attempt=attempt, file=file):
                part = self._scratch.part(f"{attempt.token}.pt")
                path = self._scratch.incoming(attempt.token)
                if self._scratch.recall(file.digest, part):
                    with suppress(WorkerError):  # whoever read it before has written to it
                        await asyncio.to_thread(files.take, part, file, path)
                        return
                wire = files.file_name(attempt, file)
                await files.download(connection.stub, pb.DownloadFileRequest(checkpoint=wire), part)
                await asyncio.to_thread(files.take, part, file, path)
            case ArtifactWanted(attempt=attempt, file=artifact):
                part = self._scratch.part(f"{attempt.token}-{artifact.digest}")
                path = self._scratch.artifacts(attempt.owner).path(artifact)
                wire = files.file_name(attempt, artifact)
                await files.download(connection.stub, pb.DownloadFileRequest(artifact=wire), part)
                await asyncio.to_thread(files.take, part, artifact, path)


def _unpack(part: Path, folder: Path, digest: str) -> None:
    extract(part.read_bytes(), folder, digest)
    part.unlink()


def _what(wanted: Wanted) -> str:
    match wanted:
        case BundleWanted(digest=name):
            return f"bundle {name}"
        case CheckpointWanted(file=file) | ArtifactWanted(file=file):
            return files.said(file)


def _said(error: grpc.aio.AioRpcError) -> str:
    return f"{error.code().name}: {error.details() or 'no details'}"
