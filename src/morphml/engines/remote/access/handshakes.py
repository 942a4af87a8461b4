"""TLS handshakes that came to nothing, as the server sees them.

gRPC tells a server of calls only, never of a connection that failed before its first one. But it
asks for the certificate at each handshake, while the connection stands: then this side looks who
is connected. Who is gone again later and never made a call did not get through.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
import stat
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio

from morphml.clock import Clock
from morphml.engines.remote.access.interceptor import host_of
from morphml.engines.remote.access.once import MOST_PEERS, Once

_log = logging.getLogger(__name__)

#: Seconds for the first call of a connection.
FIRST_CALL_S = 1.0
#: Looks at who is connected take at most one in so many parts of a thread's time.
SPARING = 20
#: Folder of the files that this process has open, by number.
_OPEN_FILES = Path("/dev/fd")

#: Address and port of the other side of a connection.
Peer: TypeAlias = tuple[str, int]
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
#: What a servicer does with a call; the stubs know no asynchronous ones.
_Answer: TypeAlias = "Callable[[object, _Call], Any]"
_Call: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Handshakes:
    """Logs each host once whose connections come to no call. Thread-safe.

    Where a system does not show a process its open files, nothing is seen and nothing logged.

    Args:
        clock: monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logged = Once(MOST_PEERS)
        #: When connections were first seen that have made no call yet, in monotonic seconds.
        self._waiting: dict[Peer, float] = {}
        #: Connections that have made one, and when.
        self._served: dict[Peer, float] = {}
        self._look_from = 0.0
        #: The server's port; 0 while it does not listen.
        self.port = 0

    def begins(self) -> None:
        """A handshake begins; its connection stands. Of very many at once some are not seen."""
        now = self._clock.monotonic()
        if not self.port or now < self._look_from:
            return
        found = peers_of(self.port)
        self._look_from = now + SPARING * (self._clock.monotonic() - now)
        with self._lock:
            self._forget_served(found, now)
            for peer in found.difference(self._served):
                self._waiting.setdefault(peer, now)

    def served(self, peer: str) -> None:
        """A call came through this connection, named as gRPC does."""
        known = parse_peer(peer)
        if known is not None:
            with self._lock:
                self._waiting.pop(known, None)
                self._served[known] = self._clock.monotonic()

    def look(self) -> None:
        """Log who is gone without a call; once a second or so."""
        if not self._waiting:
            return
        now = self._clock.monotonic()
        found = peers_of(self.port)
        with self._lock:
            self._forget_served(found, now)
            late = [peer for peer, at in self._waiting.items() if at + FIRST_CALL_S <= now]
            gone = [peer for peer in late if peer not in found]
            for peer in gone:
                del self._waiting[peer]
        for host in dict.fromkeys(host for host, _ in gone):
            if self._logged.first((host, "TLS")):
                _log.warning(
                    "%s connected and did not get through TLS: it speaks plaintext, does not trust "
                    "the certificate of this side, shows none that this side takes, or only tried "
                    "the port; the log of a worker there says which; not logged again for this "
                    "peer",
                    host,
                )

    def _forget_served(self, found: frozenset[Peer], now: float) -> None:
        """Forget those that were served before ``now``, when ``found`` was made, and are gone."""
        gone = [peer for peer, at in self._served.items() if at < now and peer not in found]
        for peer in gone:
            del self._served[peer]

    @property
    def interceptor(self) -> grpc.aio.ServerInterceptor:
        """Notes the connections on which calls come."""
        return _CallsNoted(self.served)


def peers_of(port: int) -> frozenset[Peer]:
    """Who is connected to this port of this process. A few microseconds for each open file."""
    try:
        numbers = [int(file.name) for file in _OPEN_FILES.iterdir()]
    except OSError:
        return frozenset()
    return frozenset(peer for peer in (_peer(number, port) for number in numbers) if peer)


def parse_peer(name: str) -> Peer | None:
    """What gRPC calls a peer, such as ``ipv4:10.0.0.7:53422``; None where it has no port."""
    port = name.rpartition(":")[2]
    return (_plain(host_of(name)), int(port)) if port.isdigit() else None


def _peer(number: int, port: int) -> Peer | None:
    """The other side of an open file, where that is a connection to ``port``."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return None
        ours = socket.socket(fileno=number)
    except OSError:
        return None  # closed meanwhile
    try:
        if ours.family not in (socket.AF_INET, socket.AF_INET6) or ours.getsockname()[1] != port:
            return None
        host, there, *_ = ours.getpeername()
        return _plain(host), there
    except OSError:
        return None  # it listens, or is closed meanwhile
    finally:
        ours.detach()  # it stays open: it is somebody else's


def _plain(host: str) -> str:
    """An IPv4 address as such, though its socket speaks IPv6 too."""
    return host.removeprefix("::ffff:") if "." in host else host


class _CallsNoted(grpc.aio.ServerInterceptor):
    """Tells who calls, and changes nothing."""

    def __init__(self, served: Callable[[str], None]) -> None:
        self._served = served

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler | None:
        """The method's own handler, which first says who called."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        notes = _stream_noted if handler.response_streaming else _answer_noted
        return notes(handler, self._served)


def _answer_noted(handler: _Handler, served: Callable[[str], None]) -> _Handler:
    streams = handler.request_streaming
    answer = cast("_Answer", handler.stream_unary if streams else handler.unary_unary)

    async def noted(request: object, call: _Call) -> object:
        served(call.peer())
        return await answer(request, call)

    make = grpc.stream_unary_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
    return make(noted, handler.request_deserializer, handler.response_serializer)


def _stream_noted(handler: _Handler, served: Callable[[str], None]) -> _Handler:
    streams = handler.request_streaming
    answer = cast("_Answer", handler.stream_stream if streams else handler.unary_stream)

    async def noted(request: object, call: _Call) -> None:
        served(call.peer())
        await answer(request, call)

    async def noted_each(request: object, call: _Call) -> AsyncIterator[object]:
        served(call.peer())
        async for response in answer(request, call):
            yield response

    make = (
        grpc.stream_stream_rpc_method_handler if streams else grpc.unary_stream_rpc_method_handler
    )
    behaviour = noted_each if inspect.isasyncgenfunction(answer) else noted
    return make(behaviour, handler.request_deserializer, handler.response_serializer)
