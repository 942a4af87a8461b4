"""What a master tells whoever wants to start workers for it."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from morphml.cli.serving import worker_command
from morphml.engines.remote.access import ServerAccess

TOKENS = Path("tokens.json")
TLS = ServerAccess(credentials=grpc.local_server_credentials())


@pytest.mark.parametrize(
    ("address", "access", "tokens", "more"),
    [
        ("127.0.0.1:50051", ServerAccess(), TOKENS, ""),
        ("localhost:50051", ServerAccess(), None, " --no-token"),
        (
            "box:50051",
            TLS,
            TOKENS,
            " --tls-ca ca.pem --token-file FILE   (FILE: made here by `morphml tokens FILE`)",
        ),
    ],
)
def test_command_for_workers_has_what_lets_them_in(
    address: str, access: ServerAccess, tokens: Path | None, more: str
) -> None:
    expected = f"morphml worker --master {address}{more}"
    assert worker_command(address, access, tokens) == expected
