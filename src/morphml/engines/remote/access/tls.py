"""TLS: certificate files checked before anybody connects, and turned into credentials of gRPC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import grpc

from morphml.clock import Clock

_Renew: TypeAlias = "Callable[[], grpc.ServerCertificateConfiguration]"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path

    def load(self, clock: Clock) -> tuple[bytes, bytes]:
        """Key and certificate chain, as gRPC wants them.

        Raises:
            AccessError: when a file is missing or wrong, the key is open to others or of another
                certificate, or the certificate is not valid now.
        """
        # OpenSSL's bindings take a while to import, and plaintext has no need of them.
        from morphml.engines.remote.access.pem import read_pair  # noqa: PLC0415

        return read_pair(self.certificate, self.key, clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """How a server shows who it is, and whom it lets in."""

    pair: KeyPair
    #: Authority of clients' certificates; given, a client must have one (mutual TLS).
    client_ca: Path | None = None

    def credentials(self, clock: Clock, begins: Callable[[], None]) -> grpc.ServerCredentials:
        """For `add_secure_port`, of one server.

        Args:
            clock: tells whether certificates are valid.
            begins: called at the begin of each handshake, by a thread of gRPC; must not raise.

        Raises:
            AccessError: when a file is missing or wrong, or a certificate is not valid now.
        """
        authority = None if self.client_ca is None else _authorities(self.client_ca, clock)
        own = grpc.ssl_server_certificate_configuration([self.pair.load(clock)], authority)
        return grpc.dynamic_ssl_server_credentials(
            own,
            cast("_Renew", begins),  # None, unknown to the stubs, lets the certificate stay
            require_client_authentication=authority is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """How a client knows the server, and shows who it is."""

    #: Authority of the server's certificate; None takes those that the system trusts.
    ca: Path | None = None
    #: For mutual TLS.
    pair: KeyPair | None = None
    #: Name in the server's certificate, where it is reached under another.
    server_name: str | None = None

    def credentials(self, clock: Clock) -> grpc.ChannelCredentials:
        """For `secure_channel`.

        Raises:
            AccessError: when a file is missing or wrong, or a certificate is not valid now.
        """
        authority = None if self.ca is None else _authorities(self.ca, clock)
        key, chain = (None, None) if self.pair is None else self.pair.load(clock)
        return grpc.ssl_channel_credentials(authority, key, chain)


def _authorities(path: Path, clock: Clock) -> bytes:
    from morphml.engines.remote.access.pem import read_authorities  # noqa: PLC0415 as above

    return read_authorities(path, clock)
