"""The client's side: channels that show who they are, and why they are not let in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from morphml.clock import Clock
from morphml.engines.remote.access.channel import TokenChannel
from morphml.engines.remote.access.connection import client_options
from morphml.engines.remote.access.endpoints import is_loopback, parse_endpoint
from morphml.engines.remote.access.problems import Problem, Trust, problem_of
from morphml.engines.remote.access.scopes import Scope
from morphml.engines.remote.access.tls import ClientTls
from morphml.engines.remote.access.tokens import TokenFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAccess:
    """What a client shows a server. The default shows nothing, in plaintext: for tests."""

    #: None speaks plaintext.
    credentials: grpc.ChannelCredentials | None = None
    token: str | None = field(default=None, repr=False)
    #: Where the token is from, for messages.
    token_file: Path | None = None
    #: The files behind ``credentials``, for messages.
    tls: ClientTls | None = None

    def channel(self, target: str) -> grpc.aio.Channel:
        """A new channel to ``host:port``; it connects when the first call is made.

        Raises:
            CallerError: when ``target`` is no address.
        """
        address = str(parse_endpoint(target))
        options = client_options(None if self.tls is None else self.tls.server_name)
        if self.credentials is None:
            plain = grpc.aio.insecure_channel(address, options=options)
        else:
            plain = grpc.aio.secure_channel(address, self.credentials, options=options)
        return plain if self.token is None else TokenChannel(plain, self.token)

    async def problem(self, error: grpc.aio.AioRpcError, target: str) -> Problem:
        """What is wrong, and what to do, when a call to ``target`` ended with ``error``.

        Where gRPC says no more than that the connection was closed, the server is asked once more
        with a bare TLS handshake (at most 3 s).
        """
        trust = Trust(token_file=self.token_file, tls=self.tls)
        return await problem_of(error, parse_endpoint(target), trust)


def client_access(
    *, token_file: Path | None, scope: Scope, tls: ClientTls | None, clock: Clock
) -> ClientAccess:
    """The access that an operator asked for.

    Args:
        token_file: None shows no token.
        scope: which of its secrets to show.
        tls: None speaks plaintext.
        clock: tells whether certificates are valid.

    Raises:
        AccessError: when a file is missing, unsafe or wrong.
    """
    return ClientAccess(
        credentials=None if tls is None else tls.credentials(clock),
        token=None if token_file is None else TokenFile(token_file).read().secret(scope),
        token_file=token_file,
        tls=tls,
    )


def share_with_masters_here(token_file: Path, masters: Iterable[str]) -> None:
    """Make the token file where all ``masters`` run on this machine and none has made it yet.

    Which of master and worker is started first then does not matter. For a file in its usual place:
    one that was named should be there.

    Raises:
        CallerError: when an address is none, or the file cannot be written.
    """
    if not token_file.exists() and all(is_loopback(parse_endpoint(each)) for each in masters):
        TokenFile(token_file).ensure()
