"""What PostgreSQL's errors mean for the person who reads them."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from morphml.errors import StorageError, StoreUnavailable
from morphml.storage.database import Collision

_KEPT: Final = "nothing acknowledged before is lost"
_REFUSED: Final = "the transaction was not stored"


def fault(error: psycopg.Error, where: str) -> StorageError:
    """The error of this package that tells what happened to the database at ``where``.

    Args:
        error: what psycopg raised; becomes the cause.
        where: the database's URL without a password.
    """
    match error:
        case errors.SerializationFailure() | errors.DeadlockDetected():
            return Collision(
                f"{where}: two transactions got into each other's way; {_REFUSED}, {_KEPT}; "
                "try again"
            )
        case errors.LockNotAvailable():
            return StoreUnavailable(
                f"{where}: another transaction kept rows locked for longer than busy_timeout_s; "
                f"{_REFUSED}, {_KEPT}; try again"
            )
        case errors.QueryCanceled():
            return StoreUnavailable(
                f"{where}: a statement ran longer than statement_timeout_s and was ended; "
                f"{_REFUSED}, {_KEPT}; try again"
            )
        case errors.TransactionTimeout() | errors.IdleInTransactionSessionTimeout():
            return StoreUnavailable(
                f"{where}: a transaction took longer than the session's lease, and the server "
                f"ended it; {_REFUSED}, {_KEPT}; try again"
            )
        case errors.DiskFull():
            return StoreUnavailable(
                f"{where}: the server's disk is full; {_REFUSED}, {_KEPT}; free space there"
            )
        case errors.ReadOnlySqlTransaction():
            return StoreUnavailable(
                f"{where}: the server takes no writes (a standby, or set read-only); {_REFUSED}; "
                "name the primary, or add target_session_attrs=read-write to the URL"
            )
        case errors.IntegrityError():
            return StorageError(
                f"{where}: something that may be stored once is stored already, or names what is "
                f"not there ({first_line(error)}); {_REFUSED}, {_KEPT}; fold the log and go on "
                "from there"
            )
        case errors.InvalidPassword() | errors.InvalidAuthorizationSpecification():
            return StorageError(
                f"{where}: the server refused the user or password; check both, and the server's "
                "pg_hba.conf"
            )
        case errors.InvalidCatalogName():
            return StorageError(
                f"{where}: the server has no such database; make it first: createdb NAME"
            )
        case errors.InsufficientPrivilege():
            return StorageError(
                f"{where}: the user may not do this ({first_line(error)}); {_REFUSED}; grant it "
                "CREATE on the schema and all rights on its tables"
            )
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return unreachable(error, where)
        case _:
            return StorageError(f"{where}: the database refused: {first_line(error)}; {_REFUSED}")


def unreachable(error: psycopg.Error, where: str) -> StorageError:
    """The error of a connection that cannot be made, or was lost."""
    text = first_line(error)
    # While connecting, libpq gives no code: the server's own words are all there is.
    if "password authentication failed" in text or "no password supplied" in text:
        return StorageError(f"{where}: the server refused the user or password; check both")
    if 'database "' in text and "does not exist" in text:
        return StorageError(f"{where}: the server has no such database; make it first: createdb")
    if 'role "' in text and "does not exist" in text:
        return StorageError(f"{where}: the server knows no such user; make it: createuser")
    return StoreUnavailable(
        f"{where}: the database cannot be reached, or the connection was lost ({text}); {_KEPT}; "
        "a transaction under way is stored whole or not at all; try again"
    )


def first_line(error: psycopg.Error) -> str:
    """What the server says, without the statement and its values."""
    said = error.diag.message_primary or str(error)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
