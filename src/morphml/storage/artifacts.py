"""Files beside a store: checkpoints, bundles, reports. A key names one, for ever."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from morphml.errors import StorageError, StoreUnavailable
from morphml.ids import AttemptToken, TaskId, digest

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: Files being written; never a part of a key, since parts begin with a letter or digit.
_UNFINISHED = ".unfinished-"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that lies complete under its key."""

    key: str
    #: SHA-256, 64 hexadecimal digits.
    digest: str
    #: Bytes.
    size: int


def artifact_key(task: TaskId, token: AttemptToken, name: str) -> str:
    """The key of a file that one attempt made.

    Made here from checked parts, never taken from a worker: no attempt can write over another's
    file, or outside the folder. The token itself does not show.

    Raises:
        StorageError: when ``name`` is anything but letters, digits, dot, dash and underscore.
    """
    return "/".join((_checked(task), digest(token.encode())[:16], _checked(name)))


class LocalArtifacts:
    """Artifacts in a local folder.

    Args:
        folder: made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where the file of ``key`` lies, or would lie.

        Raises:
            StorageError: when the key is not made of checked parts.
        """
        return self._folder.joinpath(*(_checked(part) for part in key.split("/")))

    def put(self, key: str, chunks: Iterable[bytes]) -> StoredFile:
        """Store a file: complete under its key when this returns, and not there at all before.

        Args:
            key: a file of that key is replaced.
            chunks: the content in order; each is written and forgotten.

        Raises:
            StoreUnavailable: when the disk is full; nothing of the file is left.
            StorageError: when the folder cannot be written.
        """
        path = self.path(key)
        unfinished = path.with_name(_UNFINISHED + secrets.token_hex(8))
        sha, size = hashlib.sha256(), 0
        with _disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with unfinished.open("xb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                        sha.update(chunk)
                        size += len(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(path)
                _sync_folder(path.parent)
            finally:
                unfinished.unlink(missing_ok=True)
        return StoredFile(key=key, digest=sha.hexdigest(), size=size)

    def put_file(self, key: str, source: Path) -> StoredFile:
        """Store a copy of ``source``; as ``put``."""
        with _disk(source), source.open("rb") as file:
            return self.put(key, iter(lambda: file.read(_CHUNK), b""))

    def read(self, key: str) -> Iterator[bytes]:
        """The content of a file in chunks of 1 MiB.

        Raises:
            StorageError: when there is none of that key.
        """
        path = self.path(key)
        with _disk(path), path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def verify(self, file: StoredFile) -> None:
        """Let a file pass that is as it was stored.

        Raises:
            StorageError: when it is missing, or its content is another.
        """
        sha = hashlib.sha256()
        for chunk in self.read(file.key):
            sha.update(chunk)
        if sha.hexdigest() != file.digest:
            raise StorageError(
                f"{self.path(file.key)}: the file was changed or damaged: SHA-256 "
                f"{sha.hexdigest()}, stored as {file.digest}; restore it, or remove its checkpoint"
            )

    def remove(self, key: str) -> bool:
        """Remove a file; False when there was none."""
        path = self.path(key)
        with _disk(path):
            existed = path.exists()
            path.unlink(missing_ok=True)
        return existed

    def keys(self) -> Iterator[str]:
        """Keys of all complete files, sorted."""
        for path in sorted(self._folder.rglob("*")):
            if path.is_file() and not path.name.startswith(_UNFINISHED):
                yield path.relative_to(self._folder).as_posix()

    def sweep(self, kept: Iterable[str]) -> int:
        """Remove files whose key is not among ``kept``, and what a killed process left unfinished.

        Only for whoever holds the store's claim: a file lies here shortly before its row does.

        Returns:
            How many files were removed.
        """
        keep = set(kept)
        gone = [
            path
            for path in self._folder.rglob("*")
            if path.is_file() and path.relative_to(self._folder).as_posix() not in keep
        ]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)


class _disk:  # reads as a sentence: with _disk(path)
    """Turns errors of the file system into those of the store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreUnavailable(
                f"{self._path}: the disk is full ({error.strerror}); the file was not stored, "
                "files stored before are whole; free space and try again"
            ) from error
        if isinstance(error, FileNotFoundError):
            raise StorageError(
                f"{self._path}: there is no such file; it was removed, or never stored"
            ) from error
        raise StorageError(
            f"{self._path}: the file system refused ({error.strerror}); check that this user may "
            "read and write there"
        ) from error


def _checked(part: str) -> str:
    if not _PART.fullmatch(part):
        raise StorageError(
            f"artifact name {part!r}: 1 to 128 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit"
        )
    return part


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
