"""Why a server was not reached or did not let us in: one line that says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import grpc
import grpc.aio

from morphml.engines.remote.access.endpoints import Endpoint
from morphml.engines.remote.access.tls import ClientTls

#: Longest look at a server, in seconds.
PROBE_S = 3.0
#: In gRPC's words: there never was a connection.
_NEVER_MET = ("failed to connect", "errors resolving", "DNS resolution failed")
#: A server ended a connection over which TLS stood.
_HUNG_UP = "closed"
_GIVE_CA = "give --tls-ca with the authority's file (ca.pem)"
#: What gRPC puts before the reason: a status, and the address that we name ourselves.
_PREFIX = re.compile(r"^[A-Z_]+: (ipv[46]:\S+: )?")


class Cause(StrEnum):
    """Whose turn it is."""

    #: Nobody answers there, or no longer: it may come back by itself.
    UNREACHABLE = "unreachable"
    #: The token was refused: the operator must act.
    TOKEN = "token"  # noqa: S105 a word, no secret
    #: The two sides do not agree on TLS or certificates: the operator must act.
    TLS = "tls"
    #: Anything else that the server said.
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong."""

    cause: Cause
    #: One line for people, with what to do.
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The files that this side was given."""

    token_file: Path | None = None
    tls: ClientTls | None = None


async def problem_of(error: grpc.aio.AioRpcError, target: Endpoint, trust: Trust) -> Problem:
    """What is wrong when a call to ``target`` ended with ``error``."""
    said = " ".join((error.details() or "").split())
    match error.code():
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            shown = f" (shown: the one of {trust.token_file})" if trust.token_file else ""
            return Problem(cause=Cause.TOKEN, message=f"{target} refused: {said}{shown}")
        case grpc.StatusCode.UNAVAILABLE:
            return await _unavailable(said, target, trust)
        case code:
            return Problem(cause=Cause.OTHER, message=f"{target}: {code.name}: {said}")


async def _unavailable(said: str, target: Endpoint, trust: Trust) -> Problem:
    known = _handshake_problem(said, target, trust)
    # A connection that stood before is not asked about: whoever waits wants to dial another master.
    if known is None and _NEVER_MET[0] in said and "Socket closed" in said:
        known = await _closed(target, trust)
    if known is not None:
        return Problem(cause=Cause.TLS, message=known)
    return Problem(cause=Cause.UNREACHABLE, message=_absent(said, target))


def _absent(said: str, target: Endpoint) -> str:
    """Nobody answers, or who answered went away."""
    if not any(words in said for words in _NEVER_MET):
        return f"{target}: the connection ended ({said or 'without a word'})"
    reason = _PREFIX.sub("", said.rpartition("last error:")[2].strip())
    return (
        f"{target} is not reached ({reason}): is a master running there, and does no firewall lie "
        "between?"
    )


def _handshake_problem(said: str, target: Endpoint, trust: Trust) -> str | None:
    """What this side's half of the handshake did not like."""
    ca = "the authorities of this system" if _ca(trust) is None else str(_ca(trust))
    if "WRONG_VERSION_NUMBER" in said:
        return (
            f"{target} does not speak TLS: leave the TLS options out, or start it with --tls-cert"
        )
    if "certificate has expired" in said:
        return f"the certificate of {target} has expired: give the master a new one"
    if "certificate is not yet valid" in said:
        return f"the certificate of {target} is not valid yet: compare the clocks of both machines"
    if "Hostname Verification" in said:
        return (
            f"the certificate of {target} is for another host: dial a name that stands in it, or "
            "give that name with --tls-server-name"
        )
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return (
            f"the certificate of {target} is not signed by {ca}: give the authority's file "
            "(ca.pem) with --tls-ca"
        )
    return None


async def _closed(target: Endpoint, trust: Trust) -> str | None:
    """What the server may not have liked, when it closed the connection without a word."""
    if trust.tls is None:
        said = await _handshake(target, _blind())
        if said is None:
            return f"{target} speaks TLS, this side does not: {_GIVE_CA}"
        if said == _HUNG_UP:
            return (
                f"{target} speaks TLS and wants a certificate, this side does not: {_GIVE_CA}, and "
                "--tls-cert and --tls-key (such as client.pem and client.key)"
            )
        return None
    said = await _handshake(target, _context(trust.tls))
    if said is None:
        return None
    mine = trust.tls.pair
    if mine is None:
        return (
            f"{target} wants a certificate of this side: give --tls-cert and --tls-key "
            "(such as client.pem and client.key)"
        )
    return (
        f"{target} does not accept certificate {mine.certificate} ({said}): get a new one from it"
    )


async def _handshake(target: Endpoint, context: ssl.SSLContext) -> str | None:
    """None when a TLS connection stands and stays; else what went wrong, in the words of TLS.

    With TLS 1.3 the server judges our certificate after our side is done, so we listen for a word:
    a server of HTTP/2 speaks first when it is content.
    """
    writer = None
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=context, server_hostname=target.host
            )
            return None if await reader.read(1) else _HUNG_UP
    except ssl.SSLError as error:
        return (error.reason or str(error)).lower().replace("_", " ")
    except (OSError, TimeoutError) as error:
        return str(error) or "no answer"
    finally:
        if writer is not None:
            await _hang_up(writer)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection, politely for at most ``PROBE_S`` seconds.

    TLS waits for the other side's goodbye. Where that does not come, the socket is closed all the
    same: the loop may end right after, and would leave it open.
    """
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PROBE_S):
            await writer.wait_closed()
            return
    writer.transport.abort()
    await asyncio.sleep(0)  # it closes the socket with the next turn of the loop


def _blind() -> ssl.SSLContext:
    """Takes any certificate: nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def _context(tls: ClientTls) -> ssl.SSLContext:
    context = _blind()
    if tls.pair is not None:
        context.load_cert_chain(tls.pair.certificate, tls.pair.key)
    return context


def _ca(trust: Trust) -> Path | None:
    return None if trust.tls is None else trust.tls.ca
