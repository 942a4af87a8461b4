"""Whether a database is a store of this version: checked before anything in it is touched."""

from __future__ import annotations

from morphml.errors import StoreMismatch
from morphml.storage.postgres.connection import Connection
from morphml.storage.sqlite.identity import Identity

#: What the version table is marked with, so that this module knows a store from other databases.
MARK = "MorphML store"

_TABLES = """
    SELECT count(*) FROM pg_catalog.pg_class AS t
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = t.oid AND d.deptype = 'e')
"""
_MARK = """
    SELECT obj_description(t.oid, 'pg_class') FROM pg_catalog.pg_class AS t
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = 'alembic_version'
"""


def identify(connection: Connection, where: str, newest: int) -> Identity:
    """What the database needs before use; changes nothing in it.

    Args:
        connection: to the database.
        where: its URL without a password, for messages.
        newest: the schema version that this code knows.

    Raises:
        StoreMismatch: when the database belongs to another program or to a newer version of this.
    """
    version = version_of(connection, where)
    if version is None:
        return Identity.EMPTY
    if version > newest:
        raise StoreMismatch(
            f"{where}: has schema version {version}, this MorphML knows up to {newest}; "
            "it was left unchanged; upgrade MorphML to the version that wrote it, or newer"
        )
    return Identity.CURRENT if version == newest else Identity.OLDER


def version_of(connection: Connection, where: str) -> int | None:
    """The schema version of the store in a database; None when it is empty.

    Raises:
        StoreMismatch: when the database is another program's.
    """
    tables = _one(connection, _TABLES)
    if not tables:
        return None
    if _one(connection, _MARK) != MARK:
        raise StoreMismatch(
            f"{where}: is not a MorphML store: a database of another program ({tables} tables); "
            "name another database, or an empty schema by ?options=-csearch_path%3DNAME"
        )
    return int(str(_one(connection, "SELECT version_num FROM alembic_version")))


def _one(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]
