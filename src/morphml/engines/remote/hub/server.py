"""The gRPC server of a hub, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.access.connection import SERVER_ASKS_MS, server_options
from morphml.engines.remote.access.health import HealthChecks
from morphml.engines.remote.hub.asking import Clerk
from morphml.engines.remote.hub.hopeless import Hopeless
from morphml.engines.remote.hub.polling import PollServicer
from morphml.engines.remote.hub.reception import Identity
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.servicer import WorkServicer
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.hub.transfers import TransferServicer
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.scheduling.resources import Capacity

_LOG = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

SERVICE = "morphml.worker.v1.MasterService"
#: Seconds between two looks at what waits for nothing.
_LOOK_EVERY_S = 1.0
#: Bytes around the largest event.
_MARGIN = 1 << 20


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
        access: ServerAccess,
        identity: Callable[[], Identity],
        pool: Executor,
    ) -> None:
        self._switchboard = switchboard
        self._settings = switchboard.settings
        self._records = records
        self._access = access
        self._identity = identity
        self._pool = pool
        self._work = WorkServicer(switchboard, identity)
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
            CallerError: when the address is taken or not this machine's.
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
        checks = HealthChecks(server, SERVICE)
        self.port = self._access.bind(server, self._settings.listen)
        self._switchboard.act(lambda book, now: book.tick(now))
        await server.start()
        await checks.serve()
        self._switchboard.run_on(self._loop)
        self._ready.set()
        await self._tick_until_stopped()
        await checks.stop()
        for connection in self._switchboard.connections():
            connection.close(grpc.StatusCode.UNAVAILABLE, "this master stops")
        await server.stop(self._grace_s)
        clerk.stop()

    async def _tick_until_stopped(self) -> None:
        assert self._stop is not None
        hopeless = Hopeless(self._settings.infeasible_after_s, self._capacities)
        look_at = 0.0
        while not self._stop.is_set():
            self._work.hear_beats()
            self._switchboard.send_what_waits()
            self._switchboard.act(lambda book, now: book.tick(now))
            self.ticked_at = now = self._switchboard.moment().monotonic
            if now >= look_at:
                look_at = now + _LOOK_EVERY_S
                if self._access.handshakes is not None:
                    self._access.handshakes.look()
                hopeless.look(self._switchboard.act(lambda book, _: book.wishes.waiting()), now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.tick_s):
                    await self._stop.wait()

    def _capacities(self) -> list[Capacity]:
        """What each worker has that may be sent something."""
        return self._switchboard.act(
            lambda book, _: [s.holdings.capacity for s in book.ledger.scheduler.fleet if s.open]
        )

    def _make(self) -> grpc.aio.Server:
        most = self._settings.max_message_bytes
        options = dict(server_options())
        options["grpc.max_receive_message_length"] = most
        options["grpc.max_send_message_length"] = most + _MARGIN
        # Who beats is not asked whether it lives.
        asks = int(2000 * self._settings.beat_s)
        options["grpc.keepalive_time_ms"] = max(asks, SERVER_ASKS_MS)
        server = grpc.aio.server(
            interceptors=list(self._access.all_interceptors),
            options=list(options.items()),
        )
        generic = grpc.method_handlers_generic_handler(SERVICE, self._handlers())
        server.add_generic_rpc_handlers((generic,))
        return server

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        files = TransferServicer(self._switchboard, self._records, self._pool)
        polls = PollServicer(self._switchboard, self._identity)
        return {
            "Work": grpc.stream_stream_rpc_method_handler(
                self._work.work, None, pb.WorkResponse.SerializeToString
            ),
            "RegisterWorker": grpc.unary_unary_rpc_method_handler(
                polls.register,
                _reader(pb.RegisterWorkerRequest),
                pb.RegisterWorkerResponse.SerializeToString,
            ),
            "Heartbeat": grpc.unary_unary_rpc_method_handler(
                polls.heartbeat,
                _reader(pb.HeartbeatRequest),
                pb.HeartbeatResponse.SerializeToString,
            ),
            "RequestTask": grpc.unary_unary_rpc_method_handler(
                polls.request_task,
                _reader(pb.RequestTaskRequest),
                pb.RequestTaskResponse.SerializeToString,
            ),
            "SubmitResult": grpc.unary_unary_rpc_method_handler(
                polls.submit_result,
                _reader(pb.SubmitResultRequest),
                pb.SubmitResultResponse.SerializeToString,
            ),
            "UploadFile": grpc.stream_unary_rpc_method_handler(
                files.upload,
                _reader(pb.UploadFileRequest),
                pb.UploadFileResponse.SerializeToString,
            ),
            "DownloadFile": grpc.unary_stream_rpc_method_handler(
                files.download,
                _reader(pb.DownloadFileRequest),
                pb.DownloadFileResponse.SerializeToString,
            ),
        }


def _reader(kind: type[M]) -> Callable[[bytes], M]:
    """Reads requests; one that cannot be read counts as empty, which each call refuses itself."""

    def read(data: bytes) -> M:
        try:
            return kind.FromString(data)
        except DecodeError:
            _LOG.warning("a %s cannot be read", kind.__name__)
            return kind()

    return read
