"""The connection to a master, on the worker's event loop: dials, keeps the stream, dials again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import grpc
import grpc.aio

from morphml.engines.remote.access import Cause, ClientAccess, Endpoint, parse_endpoint
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.engines.remote.worker.dialling import Dialling
from morphml.engines.remote.worker.happenings import (
    Broke,
    Greeting,
    Happening,
    Heard,
    Hopeless,
    Welcomed,
)
from morphml.engines.remote.worker.outbox import Outbox

_log = logging.getLogger(__name__)

#: Without a word of the master about it, seconds of silence after which another one is dialled.
_PATIENCE_S = 4.0
#: Seconds that the loop stays open after the last connection was closed.
_LAST_EVENTS_S = 0.05
#: Seconds within which it is known why a call ended that could not be written to.
_TRUTH_S = 0.1
#: Seconds by which this process may be late before silence is its own fault.
_LATE_S = 1.0

Stream = grpc.aio.StreamStreamCall[pb.WorkRequest, pb.WorkResponse]


class Refused(Exception):
    """The master will not take the worker as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A master that took the worker."""

    stub: rpc.MasterServiceStub
    #: Session of the master.
    master: str


#: Something to do over the present connection, if there is one.
Errand: TypeAlias = Callable[[Connection | None], Coroutine[object, object, None]]


class Link:
    """Keeps the worker connected to one master of several, while ``run`` is awaited.

    All of it is called on one event loop, that of ``run``.

    Args:
        access: what is shown to masters.
        dialling: which master is next.
        connect_s: seconds for a connection and the welcome.
        deliver: takes what happens; must not wait.
    """

    def __init__(
        self,
        access: ClientAccess,
        dialling: Dialling,
        connect_s: float,
        deliver: Callable[[Happening], None],
    ) -> None:
        self._access = access
        self._dialling = dialling
        self._connect_s = connect_s
        self._deliver = deliver
        self._outbox = Outbox()
        self._more = asyncio.Event()
        self._ending = asyncio.Event()
        self._registration: asyncio.Future[pb.Registration] | None = None
        self._connection: Connection | None = None
        #: What a master said in the same message as its welcome.
        self._early: Sequence[pb.MasterEvent] = ()
        self._problems: dict[str, str] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._flush_s = 0.0
        #: When a master said something last, in seconds of the loop.
        self._heard_at = 0.0

    # --- called by the worker --------------------------------------------------------------------

    def greet(self, registration: pb.Registration) -> None:
        """Answer ``Greeting``; what was put before is forgotten."""
        self._outbox.clear()
        if self._registration is not None and not self._registration.done():
            self._registration.set_result(registration)

    def put(self, events: Iterable[pb.WorkerEvent]) -> None:
        """Send events as soon as the stream takes them. Never waits."""
        self._outbox.put(events)
        self._more.set()

    def run_errand(self, errand: Errand) -> None:
        """Have something done. Never waits."""
        task = asyncio.get_running_loop().create_task(errand(self._connection))
        self._errands.add(task)
        task.add_done_callback(self._end_errand)

    def close(self, flush_s: float) -> None:
        """Let ``run`` end the stream and all that goes on, and return.

        Args:
            flush_s: seconds for what was put to be sent.
        """
        self._flush_s = flush_s
        self._ending.set()

    @property
    def dropped(self) -> int:
        """Events that nobody took in time."""
        return self._outbox.dropped

    # --- its own life ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Dial and converse until ``close`` is called, or no master will ever take the worker."""
        serving = asyncio.create_task(self._serve())
        ending = asyncio.create_task(self._ending.wait())
        await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        self._more.set()
        if self._connection is not None:
            await asyncio.wait((serving,), timeout=self._flush_s)
        for task in (serving, ending, *self._errands):
            task.cancel()
        await asyncio.gather(serving, ending, *self._errands, return_exceptions=True)
        # gRPC has one queue for all loops of a process: what it still has for this one must find
        # it open, else another's (of a master in the same program) logs that it is closed.
        await asyncio.sleep(_LAST_EVENTS_S)

    def _end_errand(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("an errand failed in an unknown way", exc_info=error)

    async def _serve(self) -> None:
        while not self._ending.is_set():
            master, pause = self._dialling.next()
            if pause:
                await asyncio.sleep(pause)
            try:
                await self._visit(master)
            except Exception:  # noqa: BLE001  # the outermost loop: a worker must not fall silent
                _log.exception("the connection to %s failed in an unknown way", master)
            if reason := self._dialling.hopeless:
                self._deliver(Hopeless(reason=f"no master takes this worker: {reason}"))
                return

    async def _visit(self, master: str) -> None:
        """Try all addresses of a master, and stay with the first that takes the worker."""
        try:
            doors = await self._doors(master)
        except OSError as error:
            self._tell_once(master, f"{master} is not known: {error.strerror or error}")
            return
        refusals = []
        for address, access in doors:
            try:
                if await self._converse(master, address, access):
                    return
            except Refused as refused:
                refusals.append(str(refused))
                self._tell_once(address, str(refused))
        if len(refusals) == len(doors):
            self._dialling.refused(master, refusals[0])
        else:
            self._dialling.failed(master)

    async def _doors(self, master: str) -> list[tuple[str, ClientAccess]]:
        """The addresses of a master, and how to be let in at each."""
        endpoint = parse_endpoint(master)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=1)
        hosts = list(dict.fromkeys(str(each[4][0]) for each in found))
        if len(hosts) < 2 or _is_loopback_name(endpoint.host):
            return [(str(endpoint), self._access)]
        access, tls = self._access, self._access.tls
        if tls is not None and tls.server_name is None:
            access = replace(access, tls=replace(tls, server_name=endpoint.host))
        return [(str(Endpoint(host=host, port=endpoint.port)), access) for host in hosts]

    async def _converse(self, master: str, address: str, access: ClientAccess) -> bool:
        """One connection from beginning to end; whether it was welcome.

        Raises:
            Refused: when the master will not take the worker as it is.
        """
        channel = access.channel(address)
        welcomed = False
        reason = "the master ended the stream"
        try:
            stub = rpc.MasterServiceStub(channel)  # type: ignore[no-untyped-call]  # generated
            stream = cast("Stream", stub.Work())
            welcome = await self._introduce(stream)
            welcomed = True
            self._settle(master, address, stub, welcome)
            await self._exchange(stream, welcome.patience_s or _PATIENCE_S)
        except TimeoutError:
            reason = f"{address} is silent"
            self._tell_once(address, reason)
        except grpc.aio.AioRpcError as error:
            # Of one that let us in we do not ask why: meanwhile attempts are given up.
            reason = (
                _said(address, error) if welcomed else await self._judge(access, error, address)
            )
            if not self._ending.is_set():  # else it was this side that left
                self._tell_once(address, reason)
        finally:
            if welcomed:
                self._connection = None
                self._deliver(Broke(reason=reason))
            await channel.close()
        return welcomed

    async def _judge(self, access: ClientAccess, error: grpc.aio.AioRpcError, address: str) -> str:
        """What is wrong, for people.

        Raises:
            Refused: when it does not pass by itself.
        """
        problem = await access.problem(error, address)
        if problem.cause in (Cause.TOKEN, Cause.TLS):
            raise Refused(problem.message) from error
        return problem.message

    async def _introduce(self, stream: Stream) -> pb.Welcome:
        self._registration = asyncio.get_running_loop().create_future()
        self._deliver(Greeting())
        registration = await self._registration
        async with asyncio.timeout(self._connect_s):
            await _say_first(stream, pb.WorkerEvent(registration=registration))
            answer = await stream.read()
        if isinstance(answer, pb.WorkResponse) and answer.events:
            first = answer.events[0]
            if first.HasField("welcome"):
                if first.welcome.refusal:
                    raise Refused(first.welcome.refusal)
                self._early = answer.events[1:]
                return first.welcome
        code, details = await stream.code(), await stream.details()
        raise TimeoutError(f"no welcome: {code} {details}")

    def _settle(
        self, master: str, address: str, stub: rpc.MasterServiceStub, welcome: pb.Welcome
    ) -> None:
        self._dialling.welcomed(master, welcome.masters)
        self._problems.clear()
        self._connection = Connection(stub=stub, master=welcome.master)
        _log.info("connected to the master at %s", address)
        if welcome.warning:
            _log.warning("the master at %s says: %s", address, welcome.warning)
        self._deliver(Welcomed(target=address, welcome=welcome))
        if self._early:
            self._deliver(Heard(events=self._early))

    async def _exchange(self, stream: Stream, patience_s: float) -> None:
        """Send and hear until the stream ends, or is silent for too long."""
        limit = asyncio.timeout(None)
        beside = [
            asyncio.create_task(self._send(stream)),
            asyncio.create_task(self._watch(limit, patience_s)),
        ]
        try:
            async with limit:
                await self._read(stream)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            stream.cancel()

    async def _read(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        while isinstance(answer := await stream.read(), pb.WorkResponse):
            self._heard_at = loop.time()
            news = [event for event in answer.events if not self._is_ours(event)]
            if news:
                self._deliver(Heard(events=news))

    async def _watch(self, limit: asyncio.Timeout, patience_s: float) -> None:
        """Let the limit pass after so long a silence, unless it was this process that slept."""
        loop = asyncio.get_running_loop()
        self._heard_at = now = loop.time()
        while (due := self._heard_at + patience_s) > now:
            await asyncio.sleep(due - now)
            now = loop.time()
            if now - due > _LATE_S:  # what came meanwhile is yet to be read
                self._heard_at = max(self._heard_at, now - patience_s + _LATE_S)
        limit.reschedule(now)

    def _is_ours(self, event: pb.MasterEvent) -> bool:
        """Whether the event is for the connection itself, and done with."""
        if event.HasField("masters"):
            self._dialling.learned(event.masters.addresses)
            return True
        return event.HasField("beat_seen")

    async def _send(self, stream: Stream) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while events := self._outbox.take():
                await stream.write(pb.WorkRequest(events=events))
            if self._ending.is_set():
                await stream.done_writing()
                return

    def _tell_once(self, address: str, reason: str) -> None:
        if self._problems.get(address) != reason:
            self._problems[address] = reason
            _log.warning("%s", reason)


async def _say_first(stream: Stream, event: pb.WorkerEvent) -> None:
    """Write to a call that may be over already; then ``read`` says why."""
    try:
        await stream.write(pb.WorkRequest(events=[event]))
    except asyncio.InvalidStateError:
        return
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.INTERNAL:
            raise
        # What gRPC says of a write that failed; how the call ended it learns a moment later.
        await asyncio.sleep(_TRUTH_S)


def _said(address: str, error: grpc.aio.AioRpcError) -> str:
    return f"the connection to {address} broke: {error.code().name}: {error.details()}"


def _is_loopback_name(host: str) -> bool:
    return host == "localhost"
