"""One request as a value, and what its answer says. Knows no network."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote

import orjson

from morphml.errors import RequestError

#: An answer, as JSON has it.
Document: TypeAlias = dict[str, Any]
#: Bytes of a file that are sent at a time.
PIECE = 1 << 20
#: How often a request is sent in all, where it does not come through.
TRIES = 4
#: Seconds before the second try; twice as long before each further one.
AGAIN_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request."""

    method: str
    #: Parts of the path, not quoted yet.
    path: tuple[str, ...]
    #: Sent as JSON; a text is YAML, a path is a file that is sent as it is.
    body: object = None
    #: Where the answer goes, which is a file; None where it is a document.
    into: Path | None = None
    #: Further headers.
    more: Mapping[str, str] = field(default_factory=dict)
    #: Of the query; None leaves one out.
    query: Mapping[str, str | int | None] = field(default_factory=dict)
    #: Idempotency key; makes it safe to send it again.
    key: str | None = None

    @property
    def url(self) -> str:
        """The path, quoted."""
        return "/" + "/".join(quote(part, safe="") for part in self.path)

    @property
    def parameters(self) -> dict[str, str | int]:
        """The query without what was not said."""
        return {name: value for name, value in self.query.items() if value is not None}

    @property
    def headers(self) -> dict[str, str]:
        """What the body is, and the key."""
        found = {"Accept": "application/json" if self.into is None else "*/*", **self.more}
        if isinstance(self.body, Path):
            found["Content-Type"] = "application/octet-stream"
            found["Content-Length"] = str(self.body.stat().st_size)
        elif self.body is not None:
            yaml = isinstance(self.body, str)
            found["Content-Type"] = "application/yaml" if yaml else "application/json"
        if self.key is not None:
            found["Idempotency-Key"] = self.key
        return found

    @property
    def content(self) -> bytes | None:
        """The body as bytes; None where there is none, or it is a file."""
        if self.body is None or isinstance(self.body, Path):
            return None
        return self.body.encode() if isinstance(self.body, str) else orjson.dumps(self.body)

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method in ("GET", "PUT", "DELETE") or self.key is not None

    def pieces(self) -> Iterator[bytes]:
        """The file that is the body.

        Raises:
            OSError: when it cannot be read.
        """
        if isinstance(self.body, Path):
            with self.body.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to write an answer to; it appears under its name only when it is complete.

    Raises:
        OSError: when it cannot be written.
    """
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def new_key() -> str:
    """A fresh idempotency key."""
    return secrets.token_hex(16)


def document_of(status: int, content: bytes) -> Document:
    """What an answer says; {} for nothing.

    Raises:
        RequestError: when it is a problem.
    """
    try:
        found = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError:
        found = {"detail": content[:500].decode(errors="replace")}
    if 200 <= status < 300:
        return found if isinstance(found, dict) else {"value": found}
    raise problem_of(status, found if isinstance(found, dict) else {})


def problem_of(status: int, document: Mapping[str, Any]) -> RequestError:
    """The error that a problem document is; the caller raises it."""
    mistakes: Sequence[Mapping[str, str]] = document.get("errors") or ()
    return RequestError(
        str(document.get("detail") or f"the server answered with status {status}"),
        status=status,
        kind=str(document.get("type", "")).rpartition(":")[2],
        retryable=bool(document.get("retryable", status in (429, 502, 503, 504))),
        mistakes=tuple((str(each["pointer"]), str(each["detail"])) for each in mistakes),
    )


def pause_s(tries: int, told: str | None) -> float:
    """Seconds before the next try.

    Args:
        tries: so many were made, >= 1.
        told: what the server said in ``Retry-After``.
    """
    usual = AGAIN_S * 2.0 ** (tries - 1)
    return max(usual, float(told)) if told is not None and told.isdecimal() else usual
