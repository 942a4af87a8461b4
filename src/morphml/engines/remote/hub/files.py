"""Checkpoints and bundles on their way between the master's disk and workers."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Self

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


class Arriving:
    """A file that comes piece by piece; it has no place before it is complete.

    A context manager that leaves nothing of a file that was not put in its place.

    Args:
        folder: written to meanwhile, on the disk of its place; made.
        most: bytes that are taken.

    Raises:
        OSError: when nothing can be written there; so do all methods.
    """

    def __init__(self, folder: Path, most: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".upload-", dir=folder)
        #: Where it lies meanwhile.
        self.part = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._state = hashlib.blake2b(digest_size=16)
        self._most = most
        #: Bytes that came.
        self.size = 0

    @property
    def digest(self) -> str:
        """What identifies the bytes that came: blake2b, 16 bytes, in hexadecimal digits."""
        return self._state.hexdigest()

    def write(self, piece: bytes) -> bool:
        """Take a piece; False when that is more than is taken."""
        self.size += len(piece)
        if self.size > self._most:
            return False
        self._state.update(piece)
        self._file.write(piece)
        return True

    def put(self, path: Path) -> None:
        """Let the file appear in its place, flushed to disk; its folder is made."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.part.replace(path)

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Drop what has no place."""
        try:
            self._file.close()  # which writes what is left, and a full disk refuses that
        finally:
            self.part.unlink(missing_ok=True)


class Incoming:
    """A file of which is known what its bytes must be.

    Args:
        path: its place; the folder is made.
        expected: what its bytes must be.

    Raises:
        OSError: when nothing can be written there.
    """

    def __init__(self, path: Path, expected: CheckpointFile | Artifact) -> None:
        self._path = path
        self._expected = expected
        self._arriving = Arriving(path.parent, expected.size)

    def write(self, piece: bytes) -> bool:
        """Take a piece; False when that is more than was announced."""
        return self._arriving.write(piece)

    def finish(self) -> str:
        """Put the file in its place; or why that is not done, and nothing is left of it."""
        with self._arriving as file:
            if file.size != self._expected.size:
                return f"{file.size} of {self._expected.size} bytes came"
            if file.digest != self._expected.digest:
                return "its digest is another one than was announced"
            file.put(self._path)
        return ""

    def drop(self) -> None:
        """Leave nothing of it."""
        with self._arriving:
            pass
