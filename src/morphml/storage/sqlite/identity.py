"""Whether a SQLite file is a store of this version: checked before anything in it is touched."""

from __future__ import annotations

import sqlite3
from enum import Enum
from pathlib import Path

from morphml.errors import StoreMismatch

#: "MoML" in SQLite's header, so that ``file`` and this module know the store from others.
APPLICATION_ID = 0x4D6F4D4C


class Identity(Enum):
    """What a file that may be opened needs."""

    #: Nothing in it yet: lay the tables.
    EMPTY = "empty"
    #: Tables of an earlier version: migrate.
    OLDER = "older"
    #: Ready.
    CURRENT = "current"


def identify(connection: sqlite3.Connection, path: Path, newest: int) -> Identity:
    """What the file that ``connection`` has open needs before use; changes nothing in it.

    Args:
        connection: to the file; no statement has run on it.
        path: for messages.
        newest: the schema version that this code knows.

    Raises:
        StoreMismatch: when the file belongs to another program or to a newer version of this one.
        sqlite3.DatabaseError: when it is no SQLite file.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == 0 and version == 0 and tables == 0:
        return Identity.EMPTY
    if application != APPLICATION_ID:
        raise StoreMismatch(
            f"{path}: is not a MorphML store: a SQLite database of another program "
            f"({tables} tables and indexes, application id {application}); name another file"
        )
    if version > newest:
        raise StoreMismatch(
            f"{path}: has schema version {version}, this MorphML knows up to {newest}; "
            "it was left unchanged; upgrade MorphML to the version that wrote it, or newer"
        )
    return Identity.CURRENT if version == newest else Identity.OLDER
