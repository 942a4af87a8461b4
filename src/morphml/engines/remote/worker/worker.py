"""The worker process: one event loop that talks, keeps the book, and looks after children."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import random
import secrets
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from morphml.clock import Clock
from morphml.engines.devices import visible
from morphml.engines.local import LocalEngine
from morphml.engines.remote.access import ClientAccess, ServerAccess, parse_endpoint
from morphml.engines.remote.access.server import refuse_open_door
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.worker.book import Book
from morphml.engines.remote.worker.capabilities import capabilities
from morphml.engines.remote.worker.dialling import Dialling
from morphml.engines.remote.worker.executor import Executor, Trust
from morphml.engines.remote.worker.figures import FiguresTaker
from morphml.engines.remote.worker.gpu_watch import GpuWatch
from morphml.engines.remote.worker.gpus import Gpus
from morphml.engines.remote.worker.happenings import DrainAsked, News
from morphml.engines.remote.worker.hearing import Parts
from morphml.engines.remote.worker.leaving import Leaving
from morphml.engines.remote.worker.link import Link
from morphml.engines.remote.worker.output import Output
from morphml.engines.remote.worker.scratch import Scratch
from morphml.engines.remote.worker.service import OperatorService
from morphml.engines.remote.worker.settings import WorkerSettings
from morphml.engines.remote.worker.shift import LEFT, Identity, Shift
from morphml.engines.remote.worker.telling import Telling
from morphml.engines.remote.worker.transfers import Transfers
from morphml.scheduling.resources import Capacity
from morphml.version import __version__

#: Seconds that the last words get to be sent, and then the connection to end.
_LAST_WORDS_S = 2.0
_END_S = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class RemoteWorker:
    """Offers slots of this machine to masters, and runs what they send.

    ``run`` is the worker's life, in whichever thread calls it, on an event loop of its own: to wake
    a second thread would cost more than most of what there is to do. ``drain`` and ``stop`` may be
    called from any thread and from signal handlers.

    Args:
        settings: what the operator set.
        access: what is shown to masters.
        clock: tells the time.
        version: of MorphML.
        doors: who may call the worker's own service, where ``settings.listen`` offers one.

    Raises:
        OSError: when the worker's folder cannot be made or written.
        AccessError: when other machines reach the service and nothing guards it.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        access: ClientAccess,
        clock: Clock,
        version: str = __version__,
        doors: ServerAccess | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._service = self._make_service(doors or ServerAccess())
        self._gpus = Gpus(visible(settings.devices))
        self.identity = Identity(
            worker=secrets.token_hex(16),
            name=settings.name or f"{socket.gethostname()}-{os.getpid()}",
            version=version,
            capabilities=capabilities(settings, self._gpus.cards()),
        )
        #: Done when the worker is to leave; None before ``run``.
        self._over: asyncio.Future[int] | None = None
        #: Whether a turn is on its way, and the turn that comes by itself.
        self._comes = False
        self._alarm: asyncio.TimerHandle | None = None
        self._inbox: deque[News] = deque()
        self._scratch = Scratch(settings.folder, self.identity.worker)
        self._loop = asyncio.new_event_loop()
        self._engine = LocalEngine(
            settings.slots,
            devices=settings.devices,
            capacity=Capacity.parse(self.identity.capabilities),
        )
        rng = random.Random(self.identity.worker)  # noqa: S311  # spreads pauses, guards nothing
        dialling = Dialling(settings.masters, settings.backoff_s, rng)
        self._link = Link(access, dialling, settings.connect_s, self._hear)
        self._output = Output(settings.output_s)
        self._parts = self._make_parts()
        self._telling, self._executor = self._parts.telling, self._parts.executor
        figures = FiguresTaker(settings.folder, self._gpus, settings.figures_s)
        watch = GpuWatch(self._engine.binding)
        self._shift = Shift(self.identity, settings, self._parts, self._link, figures, watch)
        self._drain_asked = False
        self._stopped: int | None = None
        self._closed = False

    def _make_service(self, doors: ServerAccess) -> OperatorService:
        if self._settings.listen is not None and not doors.interceptors:
            refuse_open_door(parse_endpoint(self._settings.listen))
        return OperatorService(doors, self._hear)

    def _make_parts(self) -> Parts:
        settings, scratch = self._settings, self._scratch
        transfers = Transfers(self._link, scratch, self._hear)
        book = Book(settings.keep_acknowledged_s, settings.keep_acknowledged)
        executor = Executor(
            self._engine,
            scratch,
            self.identity.name,
            trust=Trust(pickles=settings.allow_pickle, refused_jobs=settings.refuse_jobs),
            fetch=transfers.fetch,
        )
        return Parts(
            book=book,
            executor=executor,
            telling=Telling(book, self._output, scratch, transfers, self._link.put),
            scratch=scratch,
            leaving=Leaving(settings.farewell_s),
        )

    # --- for any thread --------------------------------------------------------------------------

    def drain(self, reason: str = "it was asked to leave", *, grace_s: float | None = None) -> None:
        """Take nothing more, let what runs end, and leave; ``run`` returns then.

        Args:
            reason: for people.
            grace_s: seconds for what runs, then it is ended; by default the settings'.
        """
        self._drain_asked = True
        grace_s = self._settings.drain_grace_s if grace_s is None else grace_s
        self._tell(DrainAsked(reason=reason, grace_s=grace_s))

    def stop(self, code: int = LEFT) -> None:
        """Leave at once: what runs is killed, and masters notice that by themselves.

        Args:
            code: what ``run`` returns.
        """
        self._stopped = code
        self._poke()

    @property
    def master(self) -> str:
        """Address of the master that it is connected to, or ""."""
        return self._shift.master

    def _tell(self, news: News) -> None:
        """Take news from any thread, or from a signal handler."""
        self._inbox.append(news)
        self._poke()

    def _poke(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self._loop.call_soon_threadsafe(self._soon)

    # --- the worker's life -----------------------------------------------------------------------

    def run(self) -> int:
        """Work until the worker is to leave.

        In the main thread SIGTERM and SIGINT drain the worker, the second one ends it at once.

        Returns:
            0 after a drain or a stop, 2 when no master takes the worker, 128 + the signal's number
            when a signal ended it at once.
        """
        if not _has_loop():
            return self._run()
        with ThreadPoolExecutor(1, thread_name_prefix="morphml-worker") as elsewhere:
            return elsewhere.submit(self._run).result()

    def _run(self) -> int:
        try:
            with self._signals():
                self._engine.start()
                return self._loop.run_until_complete(self._live())
        finally:
            self.close()

    async def _live(self) -> int:
        """Take turns until one says that it is over, and end the connection."""
        self._over = self._loop.create_future()
        linked = asyncio.create_task(self._link.run())
        if (listen := self._settings.listen) is not None:
            self._link.run_errand(lambda _: self._service.serve(listen))
        self._loop.add_reader(self._engine.fileno(), self._turn)
        self._soon()
        try:
            return await self._over
        finally:
            self._loop.remove_reader(self._engine.fileno())
            # First, since a master acts at once on a stream that ends.
            self._link.close(_LAST_WORDS_S if self._stopped is None else 0.0)
            await asyncio.wait((linked,), timeout=_LAST_WORDS_S + _END_S)

    def close(self) -> None:
        """End everything that runs. May be called twice; ``run`` does it."""
        if not self._closed:
            self._closed = True
            self._loop.close()
            self._engine.close()
            self._scratch.close()
            self._gpus.close()

    def __enter__(self) -> Self:
        """The worker itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    # --- turns; on the event loop ----------------------------------------------------------------

    def _hear(self, news: News) -> None:
        """Take news in the next turn, which comes when all is heard that is there."""
        self._inbox.append(news)
        self._soon()

    def _soon(self) -> None:
        if not self._comes:
            self._comes = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Hear, do, say, and see to it that the next turn comes."""
        self._comes = False
        if self._over is None or self._over.done():
            return
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001  # raised by ``run``, as nobody else hears it
            self._over.set_exception(error)

    def _act(self) -> None:
        now = self._clock.monotonic()
        while self._inbox:
            self._shift.take(self._inbox.popleft(), now)
        self._shift.keep_time(now)
        events = self._executor.events()
        for event in events:
            self._telling.take(event)
        for experiment in self._executor.ready():
            self._telling.say(pb.WorkerEvent(prepared=pb.Prepared(experiment=experiment)))
        # Last, so that what happened is told in the turn in which it is heard.
        self._telling.flush(now)
        code = self._shift.exit if self._stopped is None else self._stopped
        if code is not None:
            assert self._over is not None
            self._over.set_result(code)
        elif self._inbox or (events and self._shift.leaves):
            self._soon()
        else:
            self._wake_at(self._due)

    @property
    def _due(self) -> float:
        """When there is something to do although nothing happens."""
        output = self._output.due if self._telling.connected else math.inf
        return min(self._shift.due, self._telling.due, output, self._engine.keep_time())

    def _wake_at(self, due: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if due < math.inf:
            delay_s = max(0.0, due - self._clock.monotonic())
            self._alarm = self._loop.call_later(delay_s, self._turn)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Within it signals drain the worker, where this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._obey) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _obey(self, number: int, _frame: FrameType | None) -> None:
        if self._drain_asked:
            self.stop(128 + number)
        else:
            self.drain(f"it got {signal.Signals(number).name}")


def _has_loop() -> bool:
    """Whether an event loop runs in this thread, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
