"""The lock that makes one process the claiming one of a SQLite store."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from morphml.errors import StoreInUse


class ClaimLock:
    """An operating system's lock on a side file: it ends with the process, however that ends.

    No child has it: programs started from here do not inherit the file (``O_CLOEXEC``), and a fork
    closes its copy at once; otherwise a child that outlives a killed master would keep the next
    master out. The side file stays: to remove it would let two processes lock two files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: Closes the side file; by itself when this object is forgotten.
        self._close: weakref.finalize[[int], ClaimLock] | None = None
        me = weakref.ref(self)

        def drop_copy() -> None:
            lock = me()
            if lock is not None:
                lock.release()

        os.register_at_fork(after_in_child=drop_copy)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._close is not None

    def acquire(self) -> None:
        """Take the lock; nothing to do when it is held already.

        Raises:
            StoreInUse: when another process, or another open store of this one, holds it.
            OSError: when the side file cannot be opened.
        """
        if self._close is not None:
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(file, 64).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StoreInUse(
                f"{self._path}: process {owner} drives searches on this store, and a SQLite store "
                "allows one; wait for it, stop it, use another file, or use PostgreSQL"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)
        self._close = weakref.finalize(self, os.close, file)

    def release(self) -> None:
        """Give the lock back, if held. In a forked child only the child's copy goes."""
        close, self._close = self._close, None
        if close is not None:
            # Not LOCK_UN: that would unlock the parent's lock from a forked child.
            close()
