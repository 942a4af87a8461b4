"""Making bundles: the same files give the same bytes, whoever packs them and when."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from morphml.errors import BundleError
from morphml.evaluation.bundle.choosing import chosen_files
from morphml.evaluation.bundle.limits import BundleLimits
from morphml.evaluation.bundle.naming import is_plain_name

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Packed source code."""

    #: sha256 of ``data``, in hexadecimal digits.
    digest: str
    #: A tar file, compressed with gzip.
    data: bytes = field(repr=False)
    #: Names of the files in it, sorted.
    files: tuple[str, ...] = field(repr=False)


def pack(root: Path, limits: BundleLimits | None = None) -> Bundle:
    """The bundle of a folder's source code.

    Args:
        root: the folder that is to be on the import path of workers.
        limits: how large it may be.

    Raises:
        BundleError: when a limit is exceeded (its largest files are named), when nothing is left
            to pack, or when a file cannot be read.
    """
    limits = limits or BundleLimits()
    files = chosen_files(root)
    if not files:
        raise BundleError(
            f"{root}: nothing in it belongs into a bundle; hidden, ignored and compiled files, "
            "links and keys are left out"
        )
    sizes = [(root / path).lstat().st_size for path in files]
    if len(files) > limits.files:
        raise BundleError(
            f"{root}: has {len(files)} files, a bundle at most {limits.files}; move the code into "
            "a folder of its own, or let git ignore what is no code"
        )
    if sum(sizes) > limits.unpacked_bytes:
        raise _too_large(root, "bytes of files", limits.unpacked_bytes, files, sizes)
    data = _packed(root, files, limits)
    if len(data) > limits.packed_bytes:
        raise _too_large(root, "bytes when packed", limits.packed_bytes, files, sizes)
    names = tuple(path.as_posix() for path in files)
    return Bundle(digest=hashlib.sha256(data).hexdigest(), data=data, files=names)


def _packed(root: Path, files: Sequence[Path], limits: BundleLimits) -> bytes:
    buffer = io.BytesIO()
    # No name and no time in the header of either format.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        left = limits.unpacked_bytes
        for path in files:
            content, runnable = _read(root, path, left)
            left -= len(content)
            entry = tarfile.TarInfo(_name(root, path))
            entry.size = len(content)
            entry.mode = 0o755 if runnable else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _read(root: Path, path: Path, limit: int) -> tuple[bytes, bool]:
    """A file's bytes, and whether it may be run; it is no link and was not swapped for one."""
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise BundleError(f"{root / path}: changed into something else while it was packed")
            content = file.read(limit + 1)
    except OSError as error:
        raise BundleError(
            f"{root / path}: cannot be read for the bundle ({error.strerror}); make it readable, "
            "or let git ignore it"
        ) from error
    if len(content) > limit:
        raise BundleError(f"{root / path}: grew beyond the bundle's limit while it was packed")
    return content, bool(mode & stat.S_IXUSR)


def _name(root: Path, path: Path) -> str:
    name = path.as_posix()
    if not is_plain_name(name):
        raise BundleError(
            f"{root}: the file name {name!r} does not stay the same on every system; use letters, "
            "digits and other printable characters without backslash and colon"
        )
    return name


def _too_large(
    root: Path, what: str, limit: int, files: Sequence[Path], sizes: Sequence[int]
) -> BundleError:
    by_size = sorted(zip(sizes, files, strict=True), key=lambda pair: (-pair[0], pair[1]))
    largest = ", ".join(f"{path.as_posix()} ({size:,} bytes)" for size, path in by_size[:_SHOWN])
    return BundleError(
        f"{root}: has more than {limit:,} {what}, which is the limit of a bundle; the largest "
        f"files are {largest}; keep data and outputs outside the code's folder, or let git ignore "
        "them"
    )
