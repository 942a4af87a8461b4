"""One request as a value, and what its answer says. Knows no network."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

import orjson

from morphml.errors import RequestError

#: An answer, as JSON has it.
Document: TypeAlias = dict[str, Any]
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
    #: Sent as JSON; a text is YAML.
    body: object = None
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
        found = {"Accept": "application/json"}
        if self.body is not None:
            yaml = isinstance(self.body, str)
            found["Content-Type"] = "application/yaml" if yaml else "application/json"
        if self.key is not None:
            found["Idempotency-Key"] = self.key
        return found

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        if self.body is None:
            return None
        return self.body.encode() if isinstance(self.body, str) else orjson.dumps(self.body)

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method in ("GET", "DELETE") or self.key is not None


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
