"""Unpacking bundles that somebody else has made: nothing in them is trusted."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from morphml.errors import BundleError
from morphml.evaluation.bundle.limits import BundleLimits
from morphml.evaluation.bundle.naming import is_plain_name

_DIGEST = re.compile(r"[0-9a-f]{64}")
#: Bytes of headers that an entry may have beside its content.
_HEADER_BYTES: Final = 4_096
#: Bytes at the end of an archive.
_END_BYTES: Final = tarfile.RECORDSIZE
_COPY_BYTES: Final = 2**16
#: What the readers of both formats raise; endless headers of headers are a RecursionError.
_DAMAGE: Final = (
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
)


def extract(data: bytes, folder: Path, digest: str, limits: BundleLimits | None = None) -> Path:
    """Unpack a bundle into a folder of its own, once.

    The result appears whole or not at all, and cannot be written to. Bundles of other digests
    lie beside it.

    Args:
        data: the bundle as it came.
        folder: where bundles lie; made if it is not there.
        digest: what the master says that the bundle's sha256 is.
        limits: how large it may be.

    Returns:
        The folder ``folder/<digest>``; ready at once where it was unpacked before.

    Raises:
        BundleError: when the digest is another, a limit is exceeded, or the archive is damaged or
            holds anything but plain files at relative paths; nothing is left of it.
    """
    limits = limits or BundleLimits()
    if not _DIGEST.fullmatch(digest):
        raise BundleError(f"{digest[:80]!r}: is no digest of a bundle; 64 hexadecimal digits are")
    target = folder / digest
    if target.is_dir():
        return target
    _check_bytes(data, digest, limits)
    folder.mkdir(parents=True, exist_ok=True)
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=folder))
    try:
        _unpack(data, incoming, _Refusal(digest), limits)
        _protect(incoming)
        _move(incoming, target)
    except BaseException:
        _remove(incoming)
        raise
    return target


class _Refusal:
    """Makes the errors about one bundle."""

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def __call__(self, why: str) -> BundleError:
        return BundleError(f"bundle {self._digest[:12]}: {why}; it was not unpacked")


def _check_bytes(data: bytes, digest: str, limits: BundleLimits) -> None:
    refusal = _Refusal(digest)
    if len(data) > limits.packed_bytes:
        raise refusal(f"has {len(data):,} bytes, the limit is {limits.packed_bytes:,}")
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise refusal(f"its bytes have the digest {found[:12]}; fetch it again")


def _unpack(data: bytes, incoming: Path, refusal: _Refusal, limits: BundleLimits) -> None:
    room = limits.unpacked_bytes + limits.files * _HEADER_BYTES + _END_BYTES
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        stream = _Bounded(packed, room, refusal)
        try:
            for entry, content in _entries(stream, refusal, limits):
                _write(entry, content, incoming, refusal)
        except _DAMAGE as error:
            raise refusal(f"the archive is damaged ({error})") from error
        except OSError as error:
            raise refusal(f"its files cannot be written ({error})") from error


class _Bounded:
    """Reads a stream up to so many bytes: what a small archive unpacks to may be endless."""

    def __init__(self, stream: gzip.GzipFile, room: int, refusal: _Refusal) -> None:
        self._stream = stream
        self._room = room
        self._refusal = refusal

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; b"" at the end."""
        data = self._stream.read(min(size, self._room + 1))
        self._room -= len(data)
        if self._room < 0:
            raise self._refusal("unpacks to more bytes than a bundle may have")
        return data


def _entries(
    stream: _Bounded, refusal: _Refusal, limits: BundleLimits
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """The entries of an archive in order; each is read before the next one is asked for."""
    count = size = 0
    # A stream is never sought in, and needs no more of a file object than read().
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]  # only read() is used
        for entry in archive:
            _check(entry, refusal)
            count, size = count + 1, size + entry.size
            if count > limits.files:
                raise refusal(f"has more than {limits.files} files")
            if size > limits.unpacked_bytes:
                raise refusal(f"has more than {limits.unpacked_bytes:,} bytes of files")
            content = archive.extractfile(entry)
            assert content is not None, "a plain file has content"
            yield entry, content
        if not count:
            raise refusal("no file is in it")
    while stream.read(_COPY_BYTES):
        pass  # only padding: the sum of all bytes comes after it


def _check(entry: tarfile.TarInfo, refusal: _Refusal) -> None:
    """Let plain files at plain relative paths pass, and nothing else."""
    shown = repr(entry.name[:80])
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.issparse():
        raise refusal(f"{shown} is no plain file; links, folders and devices are not allowed")
    if not is_plain_name(entry.name):
        raise refusal(f"{shown} is no relative path within the bundle")
    if hasattr(tarfile, "data_filter"):  # Python's own rules as well, from 3.11.4 on
        tarfile.data_filter(entry, "/bundle")


def _write(entry: tarfile.TarInfo, content: IO[bytes], incoming: Path, refusal: _Refusal) -> None:
    path = incoming / PurePosixPath(entry.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            shutil.copyfileobj(content, file, _COPY_BYTES)
    except FileExistsError:
        raise refusal(f"{entry.name[:80]!r} is in it twice") from None
    path.chmod(0o555 if entry.mode & 0o100 else 0o444)


def _protect(folder: Path) -> None:
    """Nobody is to write into it any more, by mistake at least."""
    for place, _, _ in os.walk(folder):
        Path(place).chmod(0o555)


def _move(incoming: Path, target: Path) -> None:
    try:
        incoming.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        # Another process was faster; what it unpacked has the same digest.
        _remove(incoming)


def _remove(incoming: Path) -> None:
    for place, _, _ in os.walk(incoming):
        Path(place).chmod(0o700)
    shutil.rmtree(incoming, ignore_errors=True)
