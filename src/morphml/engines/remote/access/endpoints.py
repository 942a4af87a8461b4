"""Where servers listen and clients dial: ``host:port``."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from morphml.errors import CallerError

#: Of a master, where none is named.
DEFAULT_PORT = 50051


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A host and a port."""

    #: A name or an address; IPv6 without brackets.
    host: str
    #: 0 to 65535; 0 lets the system choose one to listen on.
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str, *, default_port: int | None = DEFAULT_PORT) -> Endpoint:
    """``host``, ``host:port`` or ``[address]:port`` as a value.

    Args:
        text: as a person typed it.
        default_port: taken where there is none; None when there must be one.

    Raises:
        CallerError: when it is not of that form.

    >>> str(parse_endpoint("gpu-box"))
    'gpu-box:50051'
    >>> parse_endpoint("[::1]:7000")
    Endpoint(host='::1', port=7000)
    """
    host, port = _split(text.strip())
    if port is None and default_port is not None:
        port = str(default_port)
    if not host or any(letter in host for letter in "/ @,") or port is None or _misspelt(host):
        raise CallerError(f"{text!r} is no address: host:port is expected, such as 10.0.0.5:50051")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise CallerError(f"{text!r}: the port must be a number from 0 to 65535")
    return Endpoint(host=host, port=int(port))


def is_loopback(endpoint: Endpoint) -> bool:
    """Whether only this machine can reach it; names are looked up, and unknown ones are not."""
    try:
        return ipaddress.ip_address(endpoint.host).is_loopback
    except ValueError:
        pass  # a name, then
    try:
        found = socket.getaddrinfo(endpoint.host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address[0])).is_loopback for *_, address in found)


def why_not_listening(endpoint: Endpoint) -> str:
    """Why one cannot listen there: tries it with a plain socket, which names its reason."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return "unknown reason"


def _misspelt(host: str) -> bool:
    """Whether it has colons, as only IPv6 addresses have, and is none."""
    if ":" not in host:
        return False
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return True
    return False


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") if rest.startswith(":") else None
    if text.count(":") > 1:
        return text, None  # an IPv6 address alone
    host, colon, port = text.partition(":")
    return host, port if colon else None
