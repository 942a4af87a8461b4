"""The door of an engine's hub: a token for this engine alone, and TLS where others could listen."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from morphml.clock import Clock
from morphml.engines.ray.orders import Summons
from morphml.engines.remote.access import (
    Endpoint,
    KeyPair,
    Scope,
    ServerAccess,
    ServerTls,
    guarded_by,
    is_loopback,
)
from morphml.engines.remote.access.certificates import CA, SERVER, SERVER_KEY, make_certificates
from morphml.engines.remote.access.tokens import Tokens, fresh_tokens, parse_tokens

#: A search may run for long; nobody renews what goes with its process.
_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who is let in, and what workers are told to be let in."""

    access: ServerAccess
    token: str
    #: Certificate of the authority, in PEM; "" for plaintext on a loopback address.
    authority: str

    def summons(self, port: int, host: str, give_up_after_s: float) -> Summons:
        """What workers are told."""
        return Summons(
            masters=(str(Endpoint(host=host, port=port)),),
            token=self.token,
            authority=self.authority,
            path=search_path(sys.path),
            give_up_after_s=give_up_after_s,
            allow_pickle=True,  # from the process of the search, as Ray itself does
        )


def make_door(host: str, folder: Path, clock: Clock) -> Door:
    """A door with fresh secrets.

    Args:
        host: address that is listened on.
        folder: for keys; of this process alone.
        clock: the hour.

    Raises:
        AccessError: when the keys cannot be written.
    """
    tokens: Tokens = parse_tokens(fresh_tokens().encode(), Path("memory"))
    token = tokens.secret(Scope.WORKER)
    if is_loopback(Endpoint(host=host, port=0)):
        return Door(access=guarded_by(tokens, None, clock), token=token, authority="")
    keys = folder / secrets.token_hex(4)
    make_certificates(keys, hosts=[host], days=_DAYS, now=datetime.fromtimestamp(clock.now(), UTC))
    pair = KeyPair(certificate=keys / SERVER, key=keys / SERVER_KEY)
    return Door(
        access=guarded_by(tokens, ServerTls(pair=pair), clock),
        token=token,
        authority=(keys / CA).read_text(),
    )


def search_path(entries: Sequence[str]) -> tuple[str, ...]:
    """Folders of an import path as other processes can use them."""
    return tuple(dict.fromkeys(str(Path(entry or ".").resolve()) for entry in entries))
