"""The server's side: who may connect, and a server that asks them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

from morphml.clock import Clock
from morphml.engines.remote.access.connection import server_options
from morphml.engines.remote.access.endpoints import (
    Endpoint,
    is_loopback,
    parse_endpoint,
    why_not_listening,
)
from morphml.engines.remote.access.handshakes import Handshakes
from morphml.engines.remote.access.interceptor import TokenInterceptor
from morphml.engines.remote.access.tls import ServerTls
from morphml.engines.remote.access.tokens import TokenFile, Tokens
from morphml.errors import AccessError, CallerError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAccess:
    """What one server needs to keep others out. The default lets everybody in: for tests."""

    #: None speaks plaintext.
    credentials: grpc.ServerCredentials | None = None
    interceptors: tuple[grpc.aio.ServerInterceptor, ...] = ()
    #: Sees those who do not get through TLS; None with plaintext. Whoever serves lets it look.
    handshakes: Handshakes | None = None

    def server(self) -> grpc.aio.Server:
        """A new server with the interceptors, limits and keepalive of this module; not started."""
        return grpc.aio.server(interceptors=self.all_interceptors, options=server_options())

    @property
    def all_interceptors(self) -> tuple[grpc.aio.ServerInterceptor, ...]:
        """What each call passes, refused ones too."""
        seen = () if self.handshakes is None else (self.handshakes.interceptor,)
        return (*seen, *self.interceptors)

    def bind(self, server: grpc.aio.Server, listen: str) -> int:
        """Let ``server`` listen on ``listen`` (host:port; port 0 takes a free one).

        Returns:
            the port.

        Raises:
            CallerError: when it cannot, with the reason: the port is in use, not allowed, ...
        """
        endpoint = parse_endpoint(listen)
        try:
            if self.credentials is None:
                return server.add_insecure_port(str(endpoint))
            port = server.add_secure_port(str(endpoint), self.credentials)
        except RuntimeError as error:
            reason = why_not_listening(endpoint)
            raise CallerError(
                f"cannot listen on {endpoint}: {reason}; stop what uses it, or choose another "
                "address (--listen of a master, --port of a worker)"
            ) from error
        if self.handshakes is not None:
            self.handshakes.port = port
        return port


def server_access(
    listen: str, *, token_file: Path | None, tls: ServerTls | None, clock: Clock
) -> ServerAccess:
    """The access that an operator asked for.

    Args:
        listen: host:port that the server will listen on.
        token_file: made with fresh secrets where it is not there; None lets in everybody.
        tls: None speaks plaintext.
        clock: tells whether certificates are valid.

    Raises:
        AccessError: when a file is missing, unsafe or wrong, or there is no token on an address
            that other machines reach.
    """
    endpoint = parse_endpoint(listen)
    if token_file is None:
        refuse_open_door(endpoint)
        return guarded_by(None, tls, clock)
    access = guarded_by(TokenFile(token_file).ensure(), tls, clock)
    if tls is None and not is_loopback(endpoint):
        _log.warning(
            "listening on %s without TLS: tokens and data can be read on the way; give --tls-cert "
            "and --tls-key (`morphml certs DIR` makes some to try)",
            endpoint,
        )
    return access


def guarded_by(tokens: Tokens | None, tls: ServerTls | None, clock: Clock) -> ServerAccess:
    """The access with those tokens, or none.

    Raises:
        AccessError: when a certificate or key is missing, unsafe or wrong.
    """
    interceptors = () if tokens is None else (TokenInterceptor(tokens),)
    if tls is None:
        return ServerAccess(interceptors=interceptors)
    handshakes = Handshakes(clock)
    return ServerAccess(
        credentials=tls.credentials(clock, handshakes.begins),
        interceptors=interceptors,
        handshakes=handshakes,
    )


def refuse_open_door(endpoint: Endpoint) -> None:
    """Nothing when only this machine reaches ``endpoint``.

    Raises:
        AccessError: when others do: without a token they could run code here.
    """
    if not is_loopback(endpoint):
        raise AccessError(
            f"--no-token works only on a loopback address such as 127.0.0.1, not on {endpoint}: "
            "everybody who reaches it could take and change your work; leave --no-token out"
        )
