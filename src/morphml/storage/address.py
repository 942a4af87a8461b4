"""What a caller names as storage: a file, nothing at all, or the URL of a database."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from morphml.errors import StorageError

_SCHEMES = ("postgresql", "postgres")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,2}")
_SECRETS = frozenset({"password", "sslpassword", "passfile"})


def is_url(storage: str | Path | None) -> bool:
    """Whether ``storage`` names a database server instead of a file or nothing.

    Raises:
        StorageError: when it is a URL that no store can be opened from, or a URL made into a path.
    """
    if storage is None:
        return False
    found = _SCHEME.match(str(storage))
    if found is None:
        return False
    scheme = found[1].lower()
    if isinstance(storage, Path):
        if scheme in _SCHEMES:
            raise StorageError(f"{scheme}: the URL of a database is given as text, not as a path")
        return False
    if scheme in _SCHEMES:
        return True
    if "://" in storage:
        raise StorageError(
            f"{scheme}://...: no store is opened from such a URL; give the path of a SQLite file, "
            "or postgresql://user@host:port/database"
        )
    return False


def without_password(storage: str | Path | None) -> str:
    """``storage`` as it may be shown and logged."""
    if not is_url(storage):
        return ":memory:" if storage is None else str(storage)
    parts = urlsplit(str(storage))
    user, at, hosts = parts.netloc.rpartition("@")
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in _SECRETS]
    netloc = f"{user.partition(':')[0]}{at}{hosts}"
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(query, safe="/,"), ""))
