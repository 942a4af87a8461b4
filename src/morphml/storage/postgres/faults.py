"""What PostgreSQL's errors mean for the person who reads them."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from morphml.errors import StorageError, StoreUnavailable
from morphml.storage.database import Collision

_KEPT: Final = "nothing acknowledged before is lost"
_REFUSED: Final = "the transaction was not stored"
#: The server's errors, the more special ones first; ``{said}`` are its own words.
_TOLD: Final[dict[type[psycopg.Error], tuple[type[StorageError], str]]] = {
    errors.SerializationFailure: (
        Collision,
        f"two transactions got into each other's way; {_REFUSED}, {_KEPT}; try again",
    ),
    errors.DeadlockDetected: (
        Collision,
        f"two transactions locked each other out; {_REFUSED}, {_KEPT}; try again",
    ),
    errors.LockNotAvailable: (
        StoreUnavailable,
        "another transaction kept rows locked for longer than busy_timeout_s; "
        f"{_REFUSED}, {_KEPT}; try again",
    ),
    errors.QueryCanceled: (
        StoreUnavailable,
        "a statement ran longer than statement_timeout_s and was ended; "
        f"{_REFUSED}, {_KEPT}; try again",
    ),
    errors.TransactionTimeout: (
        StoreUnavailable,
        "a transaction took longer than the session's lease, and the server ended it; "
        f"{_REFUSED}, {_KEPT}; try again",
    ),
    errors.IdleInTransactionSessionTimeout: (
        StoreUnavailable,
        "nothing was said in a transaction for half of the session's lease, and the server ended "
        f"it; {_REFUSED}, {_KEPT}; try again",
    ),
    errors.DiskFull: (
        StoreUnavailable,
        f"the server's disk is full; {_REFUSED}, {_KEPT}; free space there",
    ),
    errors.ReadOnlySqlTransaction: (
        StoreUnavailable,
        f"the server takes no writes (a standby, or set read-only); {_REFUSED}; name the primary, "
        "or add target_session_attrs=read-write to the URL",
    ),
    # What a standby says to a transaction that wants to write.
    errors.FeatureNotSupported: (
        StoreUnavailable,
        f"the server cannot do this ({{said}}); {_REFUSED}; name the primary, or add "
        "target_session_attrs=read-write to the URL",
    ),
    errors.IntegrityError: (
        StorageError,
        "something that may be stored once is stored already, or names what is not there ({said}); "
        f"{_REFUSED}, {_KEPT}; fold the log and go on from there",
    ),
    errors.InvalidPassword: (
        StorageError,
        "the server refused the user or password; check both, and the server's pg_hba.conf",
    ),
    errors.InvalidAuthorizationSpecification: (
        StorageError,
        "the server refused the user ({said}); check the name, and the server's pg_hba.conf",
    ),
    errors.InvalidCatalogName: (
        StorageError,
        "the server has no such database; make it first: createdb NAME",
    ),
    errors.InsufficientPrivilege: (
        StorageError,
        f"the user may not do this ({{said}}); {_REFUSED}; grant it CREATE on the schema and all "
        "rights on its tables",
    ),
}


def fault(error: psycopg.Error, where: str) -> StorageError:
    """The error of this package that tells what happened to the database at ``where``.

    Args:
        error: what psycopg raised; becomes the cause.
        where: the database's URL without a password.
    """
    for kind, (told, text) in _TOLD.items():
        if isinstance(error, kind):
            return told(f"{where}: {text.replace('{said}', first_line(error))}")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return unreachable(error, where)
    return StorageError(f"{where}: the database refused: {first_line(error)}; {_REFUSED}")


def of_a_standby(error: BaseException | None) -> bool:
    """Whether a server said that it takes no writes: another one may be the primary by now."""
    return isinstance(error, errors.ReadOnlySqlTransaction | errors.FeatureNotSupported)


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
