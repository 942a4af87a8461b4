"""Where the members of a gang meet: a port on the machine of the first of them."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import unquote

from morphml.engines.remote import checking
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.evaluation.place import ALONE, Place
from morphml.ids import AttemptToken

#: Ports of meetings: below those that systems give to outgoing connections.
FIRST_PORT, PORTS = 20_000, 12_000

#: Workers that run one attempt at once, at most.
_MOST_MEMBERS = 100_000
_HOME = "127.0.0.1"
_RENDEZVOUS = re.compile(r"(\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")


def host_of(peer: str) -> str:
    """The host of a stream's other end, such as ``ipv4:10.0.0.7:41000``; this machine for none."""
    kind, _, rest = unquote(peer).partition(":")
    host = rest.rpartition(":")[0].strip("[]")
    return host if host and kind in ("ipv4", "ipv6") else _HOME


def is_home(host: str) -> bool:
    """Whether only processes of the same machine reach it."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def rendezvous(host: str, token: AttemptToken, taken: Collection[str]) -> str:
    """``host:port``, drawn by the attempt's token, and none of those that are taken."""
    name = f"[{host}]" if ":" in host else host
    first = int(token[:8], 16)
    places = (f"{name}:{FIRST_PORT + (first + i) % PORTS}" for i in range(PORTS))
    return next((place for place in places if place not in taken), f"{name}:{FIRST_PORT}")


def is_free(place: Place) -> bool:
    """Whether a server can listen at the rendezvous; true but for rank 0, whose machine it is."""
    if place.rank or not place.rendezvous:
        return True
    port = int(place.rendezvous.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        socket.create_server(("", port), family=family, dualstack_ipv6=both).close()
    except (OSError, OverflowError):
        return False
    return True


def place_to_proto(place: Place) -> pb.Place | None:
    """The place as a message; None for one alone."""
    if place == ALONE:
        return None
    return pb.Place(rank=place.rank, world_size=place.world_size, rendezvous=place.rendezvous)


def place_of(task: pb.Task) -> Place:
    """The place that a task names.

    Raises:
        ProtocolError: when a field has another form.
    """
    if not task.HasField("place"):
        return ALONE
    message = task.place
    if _RENDEZVOUS.fullmatch(message.rendezvous) is None:
        raise ProtocolError(f"rendezvous={message.rendezvous[:64]!r}, expected host:port")
    size = checking.whole(message.world_size, "world_size", 2, _MOST_MEMBERS)
    rank = checking.whole(message.rank, "rank", 0, size - 1)
    return Place(rank=rank, world_size=size, rendezvous=message.rendezvous)
