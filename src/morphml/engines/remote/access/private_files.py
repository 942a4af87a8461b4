"""Files that hold secrets: read only when nobody else could have, written so that nobody else can.

The rule is the one that PostgreSQL has for its keys: a file of our own user has no rights for group
and others; a file of root may be readable by a group (how orchestrators mount secrets), never by
others.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from morphml.errors import AccessError

#: Files with secrets are small; a longer one is something else.
MOST_BYTES = 1 << 20


def read_private(path: Path, what: str) -> bytes:
    """The bytes of a file that only its owner can read.

    Args:
        path: where it is; links are followed, the file at their end is judged.
        what: what it is, for messages, such as ``token file``.

    Raises:
        FileNotFoundError: when it is not there.
        AccessError: when others may read it, somebody else owns it, or it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AccessError(f"{what} {path} cannot be read: {error.strerror}", file=path) from error
    try:
        _check(os.fstat(descriptor), path, what)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MOST_BYTES:
        raise AccessError(f"{what} {path} is longer than {MOST_BYTES} bytes", file=path)
    return data


def write_private(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file of mode 0600 at once: nobody ever sees a part of it.

    The folder is made with mode 0700 where it is not there.

    Args:
        path: where to; its folder's file system must know links.
        data: all of it.
        replace: whether a file that is there is replaced.

    Raises:
        FileExistsError: when it is there and not to be replaced; it is unchanged.
        AccessError: when it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                draft.replace(path)
            else:
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}", file=path) from error


def _check(found: os.stat_result, path: Path, what: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise AccessError(f"{what} {path} is no file", file=path)
    me = os.geteuid()
    if found.st_uid not in (me, 0):
        raise AccessError(
            f"{what} {path} belongs to user {found.st_uid}, not to user {me} who runs this: "
            "copy it, so that you own the copy",
            file=path,
        )
    # Root's file that we can read without being root is a mounted secret: its group is ours.
    allowed = 0o740 if found.st_uid == 0 and me != 0 else 0o700
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o777 & ~allowed:
        raise AccessError(
            f"{what} {path} can be read or changed by others (mode {mode:04o}): "
            f"chmod {'640' if allowed == 0o740 else '600'} {path}",
            file=path,
        )
