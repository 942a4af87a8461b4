"""Who is let in, judged by the headers alone: host, origin, content type, token. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from morphml.engines.remote.access import Scope, Tokens
from morphml.engines.remote.access.scopes import allows

#: What a request for this very machine is addressed to.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
#: Types of bodies that are read. None of them can be sent by a form of a web page.
BODY_TYPES = frozenset({"application/json", "application/yaml", "application/x-yaml"})
#: What a file is sent as; where nothing is said it is one. No page can PUT without being asked for
#: its origin first.
FILE_TYPES = frozenset({"application/octet-stream", ""})
#: Bytes of a body at most that is no file.
MOST_BYTES = 4 << 20
#: What files come with.
FILE = "PUT"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
#: What `Sec-Fetch-Site` says of a request that no other site has caused.
_OWN_SITE = frozenset({"same-origin", "none"})
_PREFIX = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is not let in."""

    status: int
    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What a server lets in."""

    #: Names that it may be called by, in lower case.
    names: frozenset[str]
    #: Only this machine reaches it: then no other address is right.
    local: bool
    #: None lets in everybody.
    tokens: Tokens | None
    #: Bytes of a file at most.
    most_file_bytes: int = 64 << 30

    def most_bytes(self, method: str) -> int:
        """Bytes of a body at most."""
        return self.most_file_bytes if method == FILE else MOST_BYTES

    def refusal(self, method: str, scheme: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is refused whatever it asks for; None when it is not.

        Args:
            method: in upper case.
            scheme: ``http`` or ``https``.
            headers: by name in lower case.
        """
        return (
            self._wrong_host(headers.get("host", ""))
            or _wrong_origin(scheme, headers)
            or _wrong_type(method, headers)
            or _too_large(headers, self.most_bytes(method))
        )

    def no_right(self, needed: Scope | None, authorization: str) -> Refusal | None:
        """Why a request may not do what needs a scope; None when it may.

        Args:
            needed: the scope; None is free for everybody.
            authorization: the header, or "".
        """
        if needed is None or self.tokens is None:
            return None
        if not authorization.lower().startswith(_PREFIX):
            return Refusal(
                status=401,
                kind="no-token",
                detail="a token is needed: send the header `Authorization: Bearer TOKEN`; "
                "`morphml tokens` shows where the file with the tokens is",
            )
        held = self.tokens.scope_of(authorization[len(_PREFIX) :].strip())
        if held is None:
            return Refusal(
                status=401, kind="wrong-token", detail="the token is none of this server's"
            )
        if not allows(held, needed):
            return Refusal(
                status=403,
                kind="wrong-scope",
                detail=f"this needs a token of scope {needed.value!r}, got one of {held.value!r}",
            )
        return None

    def _wrong_host(self, given: str) -> Refusal | None:
        host = host_of(given)
        if host in LOCAL_NAMES or (not self.local and (host in self.names or _is_address(host))):
            return None
        right = "localhost" if self.local else ", ".join(sorted(self.names))
        return Refusal(
            status=421,
            kind="wrong-host",
            detail=f"this server is not called {host[:100]!r}; ask for {right}, or name it in "
            "MORPHML_REST_NAMES",
        )


def too_large(most: int) -> str:
    """What is said of a body that has more bytes."""
    return f"a body has at most {most} bytes here"


def _too_large(headers: Mapping[str, str], most: int) -> Refusal | None:
    told = headers.get("content-length", "0")
    if not told.isdecimal() or (len(told) <= len(str(most)) and int(told) <= most):
        return None
    return Refusal(status=413, kind="too-large", detail=too_large(most))


def host_of(given: str) -> str:
    """The host of a Host header, in lower case and without brackets and port."""
    if given.startswith("["):
        return given[1:].partition("]")[0].lower()
    return given.rpartition(":")[0].lower() if ":" in given else given.lower()


def _is_address(host: str) -> bool:
    """An address names no other machine to a browser, as a name may."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _wrong_origin(scheme: str, headers: Mapping[str, str]) -> Refusal | None:
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    if origin is None and site in _OWN_SITE:
        return None
    # Browsers leave the usual port out of both.
    if origin is not None and origin.lower() == f"{scheme}://{headers.get('host', '').lower()}":
        return None
    return Refusal(
        status=403,
        kind="cross-origin",
        detail="a web page of another origin may not call this server",
    )


def _wrong_type(method: str, headers: Mapping[str, str]) -> Refusal | None:
    if method not in _WITH_BODY:
        return None
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in (FILE_TYPES if method == FILE else BODY_TYPES) or (not has_body and not kind):
        return None
    right = "application/octet-stream" if method == FILE else "application/json or application/yaml"
    return Refusal(
        status=415, kind="wrong-content-type", detail=f"send {right}; got {kind[:100]!r}"
    )
