"""Where a server is, and what a client shows it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from morphml.errors import AccessError
from morphml.settings import read_settings

#: Scopes of a token file that a client shows, the first that is there.
_SCOPES = ("submit", "admin")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a server is reached."""

    url: str
    token: str | None = field(default=None, repr=False)
    #: PEM file of the authority of its certificate; None takes those that the system trusts.
    ca: Path | None = None

    @classmethod
    def of(
        cls,
        url: str,
        *,
        token: str | None = None,
        token_file: str | Path | None = None,
        ca: str | Path | None = None,
    ) -> Access:
        """What a person asked for.

        Args:
            url: such as ``http://localhost:3000``.
            token: the secret itself.
            token_file: a file that has it; by default that of this machine's master, where the
                server is on this machine.
            ca: PEM file of the authority of its certificate.

        Raises:
            AccessError: when the file is not there, or has no token that a client can use.
        """
        if token is None:
            token = _token(url, None if token_file is None else Path(token_file))
        return cls(url=url.rstrip("/"), token=token, ca=None if ca is None else Path(ca))

    @property
    def headers(self) -> dict[str, str]:
        """Shown with every request."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """How its certificate is judged."""
        return True if self.ca is None else ssl.create_default_context(cafile=str(self.ca))


def _token(url: str, file: Path | None) -> str | None:
    usual = read_settings().access.token_file
    if file is None and (urlsplit(url).hostname not in _LOCAL or not usual.exists()):
        return None
    path = file or usual
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise AccessError(f"token file {path} cannot be read: {error}", file=path) from error
    held = [found.get(scope) for scope in _SCOPES] if isinstance(found, dict) else []
    for secret in held:
        if isinstance(secret, str) and not secret.startswith("sha256:"):
            return secret
    raise AccessError(
        f"token file {path} has no secret of scope {' or '.join(_SCOPES)}: copy one that has it "
        "from the master's machine",
        file=path,
    )
