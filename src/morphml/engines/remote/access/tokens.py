"""Tokens: one random secret per scope, in a file that only its owner can read.

A master's file holds a secret for each scope. A worker machine gets a copy with its own secret and
only fingerprints of the others: enough to judge who calls the worker, not enough to call anybody.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from morphml.engines.remote.access.private_files import read_private, write_private
from morphml.engines.remote.access.scopes import Scope
from morphml.errors import AccessError

#: Begins every file that is made here: whoever packs folders knows it by this, and leaves it out.
ABOUT = {"about": "MorphML tokens: secrets, for the owner of this file only"}
#: Random bytes in a secret.
SECRET_BYTES = 32
#: What a secret may look like: it travels in a header, and a short one could be guessed.
_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{32,512}")
_FINGERPRINT = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The secrets of a token file, and fingerprints of those that only can be judged."""

    #: The file that they are from, for messages.
    file: Path
    _secrets: Mapping[Scope, str] = field(repr=False)
    #: SHA-256 of the secret, for every scope that can be judged.
    _fingerprints: Mapping[Scope, bytes] = field(repr=False)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Scopes of which the secret is here, in the order of `Scope`."""
        return tuple(scope for scope in Scope if scope in self._secrets)

    @property
    def judged(self) -> tuple[Scope, ...]:
        """Scopes whose tokens can be judged, in the order of `Scope`."""
        return tuple(scope for scope in Scope if scope in self._fingerprints)

    def secret(self, scope: Scope) -> str:
        """The secret to present as ``scope``; never log or show it.

        Raises:
            AccessError: when it is not in this file.
        """
        found = self._secrets.get(scope)
        if found is None:
            held = ", ".join(self.scopes) or "none"
            raise AccessError(
                f"token file {self.file} has no secret of scope {scope.value!r} (it has: {held}): "
                "copy one that has it from the master's machine, or give another with --token-file",
                file=self.file,
            )
        return found

    def scope_of(self, presented: str) -> Scope | None:
        """The scope of a token that somebody presents; None when it is no token of ours.

        Takes the same time whichever it is.
        """
        given = _fingerprint(presented)
        matching = [
            s for s, known in self._fingerprints.items() if hmac.compare_digest(given, known)
        ]
        return matching[0] if matching else None

    def text(self, present: Collection[Scope]) -> str:
        """A token file with the secrets of ``present``, and fingerprints of what else is known.

        Raises:
            AccessError: when one of those secrets is not here.
        """
        lines = {scope.value: self.secret(scope) for scope in Scope if scope in present}
        for scope in self.judged:
            lines.setdefault(scope.value, f"sha256:{self._fingerprints[scope].hex()}")
        return json.dumps(ABOUT | lines, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class TokenFile:
    """Where tokens are kept."""

    path: Path

    def read(self) -> Tokens:
        """The tokens in the file.

        Raises:
            AccessError: when it is not there, not safe, or wrong.
        """
        try:
            data = read_private(self.path, "token file")
        except FileNotFoundError:
            raise AccessError(
                f"there is no token file {self.path}: copy the one of the master's machine here "
                "and chmod 600 it, or name another with --token-file or MORPHML_TOKEN_FILE",
                file=self.path,
            ) from None
        return parse_tokens(data, self.path)

    def ensure(self) -> Tokens:
        """The tokens in the file; made with fresh ones when it is not there.

        Of several processes that do so at once, one makes the file and all get what it holds.

        Raises:
            AccessError: when it is not safe, wrong, or cannot be written.
        """
        if not self.path.exists():
            # Another process may be first; what it wrote is whole.
            with contextlib.suppress(FileExistsError):
                write_private(self.path, fresh_tokens().encode(), replace=False)
        return self.read()

    def export(self, to: Path, present: Collection[Scope], *, replace: bool = False) -> None:
        """Write a copy with the secrets of ``present`` only, for another machine.

        Raises:
            AccessError: when a secret is not here, or ``to`` is there or cannot be written.
        """
        text = self.read().text(present)
        try:
            write_private(to, text.encode(), replace=replace)
        except FileExistsError:
            raise AccessError(f"{to} is there already; it is not replaced", file=to) from None


def fresh_tokens() -> str:
    """The text of a token file with a new secret of 256 random bits for every scope."""
    made = {scope.value: secrets.token_urlsafe(SECRET_BYTES) for scope in Scope}
    return json.dumps(ABOUT | made, indent=2) + "\n"


def parse_tokens(data: bytes, file: Path) -> Tokens:
    """The tokens in the text of a file.

    Raises:
        AccessError: when it is no JSON object of scopes, or a secret is too short.
    """
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document:
        raise AccessError(
            f'token file {file} is not as expected: a JSON object such as {{"worker": "..."}}',
            file=file,
        )
    held: dict[Scope, str] = {}
    judged: dict[Scope, bytes] = {}
    for name, value in document.items():
        if name in ABOUT:
            continue
        scope = _scope(name, file)
        known = _FINGERPRINT.fullmatch(value) if isinstance(value, str) else None
        if known:
            judged[scope] = bytes.fromhex(known[1])
        elif isinstance(value, str) and _SECRET.fullmatch(value):
            held[scope], judged[scope] = value, _fingerprint(value)
        else:  # the value itself is never shown
            raise AccessError(
                f"token file {file}: the secret of {name!r} is not one: 32 or more of the "
                "characters A-Z a-z 0-9 . _ ~ + / = - are needed",
                file=file,
            )
    return Tokens(file=file, _secrets=held, _fingerprints=judged)


def _scope(name: str, file: Path) -> Scope:
    try:
        return Scope(name)
    except ValueError:
        known = ", ".join(Scope)
        raise AccessError(
            f"token file {file}: {name[:40]!r} is no scope; scopes are {known}", file=file
        ) from None


def _fingerprint(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", errors="surrogateescape")).digest()
