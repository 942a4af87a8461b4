"""Checkpoints and bundles on their way between the master's disk and workers."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

from morphml.engines.port import Failed
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.messages import CheckpointFile
from morphml.ids import AttemptToken
from morphml.jobs import Artifact
from morphml.scheduling.failures import FailureKind

#: Bytes of one piece.
CHUNK = 1 << 20


def chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces of at most 1 MiB.

    Raises:
        OSError: when it cannot be read.
    """
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def checkpoint_file(path: Path, step: int) -> CheckpointFile:
    """What identifies the bytes of a checkpoint. Reads all of it.

    Raises:
        OSError: when it cannot be read.
    """
    state, size = hashlib.blake2b(digest_size=16), 0
    for piece in chunks(path):
        state.update(piece)
        size += len(piece)
    return CheckpointFile(step=step, digest=state.hexdigest(), size=size)


class CheckpointReader:
    """Looks at checkpoints that are to be sent, in a thread of a pool.

    Args:
        switchboard: is told what was found.
        pool: has the thread.
    """

    def __init__(self, switchboard: Switchboard, pool: Executor) -> None:
        self._switchboard = switchboard
        self._pool = pool

    def look(self, token: AttemptToken, path: Path, step: int) -> None:
        """Let the attempt go as soon as its checkpoint is known; end it where that fails."""
        self._pool.submit(self._look, token, path, step)

    def _look(self, token: AttemptToken, path: Path, step: int) -> None:
        try:
            found = checkpoint_file(path, step)
        except OSError as error:
            failed = Failed(
                kind=FailureKind.INFRASTRUCTURE,
                error_type="CheckpointMissing",
                message=f"the checkpoint to go on from cannot be read: {error}",
            )
            self._switchboard.act(lambda book, now: book.drivers.refuse(token, failed, now))
            return
        self._switchboard.act(lambda book, now: book.drivers.release(token, found, now))


class Incoming:
    """A file that is being uploaded: beside its place until it is complete and right.

    Args:
        path: its place; the folder is made.
        expected: what its bytes must be.

    Raises:
        OSError: when nothing can be written there.
    """

    def __init__(self, path: Path, expected: CheckpointFile | Artifact) -> None:
        self._path = path
        self._expected = expected
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".upload-", dir=path.parent)
        self._part = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._state = hashlib.blake2b(digest_size=16)
        self._size = 0

    def write(self, piece: bytes) -> bool:
        """Take a piece; False when that is more than was announced."""
        self._size += len(piece)
        if self._size > self._expected.size:
            return False
        self._state.update(piece)
        self._file.write(piece)
        return True

    def finish(self) -> str:
        """Put the file in its place; or why that is not done, and nothing is left of it."""
        if self._size != self._expected.size:
            return self.drop(f"{self._size} of {self._expected.size} bytes came")
        if self._state.hexdigest() != self._expected.digest:
            return self.drop("its digest is another one than was announced")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        return ""

    def drop(self, why: str) -> str:
        """Leave nothing of it; returns ``why``."""
        self._file.close()
        self._part.unlink(missing_ok=True)
        return why
