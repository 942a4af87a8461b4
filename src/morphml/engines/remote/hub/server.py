"""The gRPC server of a hub, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from morphml.engines.remote.hub.asking import Clerk
from morphml.engines.remote.hub.reception import Identity
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.servicer import WorkServicer
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.hub.transfers import TransferServicer
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import CallerError

_LOG = logging.getLogger(__name__)

SERVICE = "morphml.worker.v1.MasterService"
#: Seconds between two pings of a connection on which nothing moves, and until one is answered.
_PING_EVERY_S, _PING_WITHIN_S = 10, 5


class ListenError(CallerError):
    """The address cannot be listened on."""


class Access(Protocol):
    """Who may speak to a server."""

    @property
    def credentials(self) -> grpc.ServerCredentials | None:
        """TLS, or None for a plain socket."""
        ...

    @property
    def interceptors(self) -> Sequence[grpc.aio.ServerInterceptor]:
        """What looks at each call before its body is read."""
        ...


class HubServer:
    """Listens, and runs all streams.

    Args:
        switchboard: shared with the other threads.
        records: of the master.
        access: who may speak.
        identity: what the master says of itself.
        pool: threads for calls that wait.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        records: Records,
        access: Access,
        identity: Callable[[], Identity],
        pool: Executor,
    ) -> None:
        self._switchboard = switchboard
        self._settings = switchboard.settings
        self._records = records
        self._access = access
        self._identity = identity
        self._pool = pool
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._grace_s = 0.0
        self._thread = threading.Thread(target=self._run, name="morphml-hub", daemon=True)
        #: The port that is listened on.
        self.port = 0
        #: Monotonic seconds of the event loop's last tick.
        self.ticked_at = switchboard.moment().monotonic

    def start(self) -> None:
        """Listen.

        Raises:
            ListenError: when the address is taken or not this machine's.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def close(self, grace_s: float) -> None:
        """Listen no more; streams get ``grace_s`` seconds to end."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._grace_s = grace_s
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            self._thread.join()

    # --- on the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001  # handed to whoever starts it
            self._failure = error
            if self._ready.is_set():
                _LOG.exception("the hub's event loop ended")
        finally:
            self._switchboard.run_on(None)
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        clerk = Clerk(self._switchboard, self._records, self._pool)
        self._switchboard.on_ask, self._switchboard.on_told_elsewhere = clerk.ask, clerk.post
        server = self._make()
        checks = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
        self.port = self._bind(server)
        self._switchboard.act(lambda book, now: book.tick(now))
        await server.start()
        for name in ("", SERVICE):
            await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._switchboard.run_on(self._loop)
        self._ready.set()
        await self._tick_until_stopped()
        await checks.enter_graceful_shutdown()
        for connection in self._switchboard.connections():
            connection.close(grpc.StatusCode.UNAVAILABLE, "this master stops")
        await server.stop(self._grace_s)
        clerk.stop()

    async def _tick_until_stopped(self) -> None:
        assert self._stop is not None
        while not self._stop.is_set():
            self._switchboard.act(lambda book, now: book.tick(now))
            self.ticked_at = self._switchboard.moment().monotonic
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.tick_s):
                    await self._stop.wait()

    def _make(self) -> grpc.aio.Server:
        most = self._settings.max_message_bytes
        server = grpc.aio.server(
            interceptors=list(self._access.interceptors),
            options=[
                ("grpc.max_receive_message_length", most),
                ("grpc.max_send_message_length", most + (1 << 20)),
                ("grpc.so_reuseport", 0),
                (
                    "grpc.keepalive_time_ms",
                    int(1000 * max(_PING_EVERY_S, 2 * self._settings.beat_s)),
                ),
                ("grpc.keepalive_timeout_ms", _PING_WITHIN_S * 1000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 2000),
                ("grpc.http2.max_ping_strikes", 0),
            ],
        )
        work = WorkServicer(self._switchboard, self._identity)
        files = TransferServicer(self._switchboard, self._records, self._pool)
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Work": grpc.stream_stream_rpc_method_handler(
                work.work, None, pb.WorkResponse.SerializeToString
            ),
            "UploadFile": grpc.stream_unary_rpc_method_handler(
                files.upload,
                pb.UploadFileRequest.FromString,
                pb.UploadFileResponse.SerializeToString,
            ),
            "DownloadFile": grpc.unary_stream_rpc_method_handler(
                files.download,
                pb.DownloadFileRequest.FromString,
                pb.DownloadFileResponse.SerializeToString,
            ),
        }
        generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
        server.add_generic_rpc_handlers((generic,))
        return server

    def _bind(self, server: grpc.aio.Server) -> int:
        listen, credentials = self._settings.listen, self._access.credentials
        try:
            if credentials is None:
                port = server.add_insecure_port(listen)
            else:
                port = server.add_secure_port(listen, credentials)
        except RuntimeError as error:
            raise ListenError(f"listen={listen!r}: {error}; is another master there?") from error
        if not port:
            raise ListenError(f"listen={listen!r}: no address of this machine, or it is taken")
        return port
