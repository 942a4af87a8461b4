"""What SQLite's errors mean for the person who reads them."""

from __future__ import annotations

import sqlite3

from morphml.errors import StorageError, StoreMismatch, StoreUnavailable

_KEPT = "nothing stored before is lost"


def fault(error: sqlite3.Error, where: str) -> StorageError:
    """The error of this package that tells what happened to the database at ``where``.

    Args:
        error: what SQLite raised; becomes the cause.
        where: the path of the database.
    """
    # Extended codes carry the primary one in their low byte.
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreUnavailable(
                f"{where}: another process kept the store locked; {_KEPT}; "
                "try again, or end the process that writes for so long"
            )
        case sqlite3.SQLITE_FULL:
            return StoreUnavailable(
                f"{where}: the disk is full; the transaction was not stored, {_KEPT}; "
                "free space on that disk and resume"
            )
        case sqlite3.SQLITE_INTERRUPT:
            return StoreUnavailable(
                f"{where}: a statement ran longer than statement_timeout_s and was ended; {_KEPT}"
            )
        case sqlite3.SQLITE_READONLY:
            return StorageError(
                f"{where}: the file or its folder is read-only; the transaction was not stored, "
                f"{_KEPT}; make both writable for this user, or copy the file elsewhere"
            )
        case sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"{where}: the disk refused to read or write ({error}); the transaction was not "
                f"stored, {_KEPT}; check free space, quota and file size limits, then resume"
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StorageError(
                f"{where}: cannot be opened ({error}); check that its folder exists and that this "
                "user may write there (SQLite keeps two more files beside the database; a store "
                "that was not closed cannot be read on a read-only disk: copy all its files)"
            )
        case sqlite3.SQLITE_NOTADB:
            return StoreMismatch(
                f"{where}: is not a MorphML store: the file exists and is no SQLite database; "
                "name another file"
            )
        case sqlite3.SQLITE_CORRUPT:
            return StorageError(
                f"{where}: the file is damaged ({error}); copy it away, then save what is left "
                f"with: sqlite3 {where} .recover"
            )
        case sqlite3.SQLITE_CONSTRAINT:
            return StorageError(
                f"{where}: something that may be stored once is stored already ({error}); "
                f"the transaction was not stored, {_KEPT}; fold the log and go on from there"
            )
        case _:
            return StorageError(f"{where}: the database refused: {error}")
