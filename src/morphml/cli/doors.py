"""From options to access: which tokens, which certificates. Imports gRPC: for commands that run."""

from __future__ import annotations

from pathlib import Path

from morphml.clock import SystemClock
from morphml.engines.remote.access import (
    ClientAccess,
    ClientTls,
    KeyPair,
    Scope,
    ServerAccess,
    ServerTls,
    TokenFile,
    client_access,
    guarded_by,
    server_access,
)
from morphml.errors import CallerError
from morphml.settings import read_settings


def token_path(given: Path | None, *, without: bool) -> Path | None:
    """The token file to use; None when the operator wants none.

    Raises:
        CallerError: when both were asked for.
    """
    if not without:
        return given or read_settings().access.token_file
    if given is not None:
        raise CallerError("--token-file and --no-token: give one of them")
    return None


def server_door(
    listen: str,
    tokens: Path | None,
    certificate: Path | None,
    key: Path | None,
    client_ca: Path | None,
) -> ServerAccess:
    """The access of a server that listens on ``listen``.

    Raises:
        CallerError: when options do not go together, or a file is missing, unsafe or wrong.
    """
    pair = _pair(certificate, key)
    if client_ca is not None and pair is None:
        raise CallerError("--tls-client-ca goes with --tls-cert and --tls-key")
    tls = None if pair is None else ServerTls(pair=pair, client_ca=client_ca)
    return server_access(listen, token_file=tokens, tls=tls, clock=SystemClock())


def client_door(tokens: Path | None, tls: ClientTls | None) -> ClientAccess:
    """The access of a worker.

    Raises:
        CallerError: when a file is missing, unsafe or wrong.
    """
    return client_access(token_file=tokens, scope=Scope.WORKER, tls=tls, clock=SystemClock())


def own_door(tokens: Path | None) -> ServerAccess:
    """Who may call a worker's own service, which only this machine reaches.

    Raises:
        AccessError: when the token file is missing, unsafe or wrong.
    """
    held = None if tokens is None else TokenFile(tokens).read()
    return guarded_by(held, None, SystemClock())


def client_tls(
    wanted: bool,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    server_name: str | None,
) -> ClientTls | None:
    """How a worker is to speak TLS; None for plaintext.

    Raises:
        CallerError: when options do not go together.
    """
    pair = _pair(certificate, key)
    if not wanted and ca is None:
        if pair is not None or server_name is not None:
            raise CallerError(
                "TLS options without an authority: give --tls-ca with the file of the one that "
                "signed the master's certificate, or --tls for those that this system trusts"
            )
        return None
    return ClientTls(ca=ca, pair=pair, server_name=server_name)


def _pair(certificate: Path | None, key: Path | None) -> KeyPair | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CallerError("--tls-cert and --tls-key go together")
    return KeyPair(certificate=certificate, key=key)
