"""The worker process: one thread that runs attempts and keeps the book, one that talks."""

from __future__ import annotations

import math
import os
import random
import secrets
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
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

#: Seconds that the last words get to be sent.
_LAST_WORDS_S = 2.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class RemoteWorker:
    """Offers slots of this machine to masters, and runs what they send.

    ``run`` is the worker's life, in whichever thread calls it. ``drain`` and ``stop`` may be called
    from any thread and from signal handlers.

    Args:
        settings: what the operator set.
        access: what is shown to masters.
        clock: tells the time.
        version: of MorphML; by default what is installed.
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
        version: str | None = None,
        doors: ServerAccess | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._service = self._make_service(doors or ServerAccess())
        self._gpus = Gpus(visible(settings.devices))
        self.identity = Identity(
            worker=secrets.token_hex(16),
            name=settings.name or f"{socket.gethostname()}-{os.getpid()}",
            version=version or metadata.version("morphml"),
            capabilities=capabilities(settings, self._gpus.cards()),
        )
        self._inbox: deque[News] = deque()
        self._scratch = Scratch(settings.folder, self.identity.worker)
        self._engine = LocalEngine(
            settings.slots,
            devices=settings.devices,
            capacity=Capacity.parse(self.identity.capabilities),
        )
        rng = random.Random(self.identity.worker)  # noqa: S311  # spreads pauses, guards nothing
        dialling = Dialling(settings.masters, settings.backoff_s, rng)
        self._link = Link(access, dialling, settings.connect_s, self._tell)
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
        return OperatorService(doors, self._tell)

    def _make_parts(self) -> Parts:
        settings, scratch = self._settings, self._scratch
        transfers = Transfers(self._link, scratch, self._tell)
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
        self._engine.wake()

    @property
    def master(self) -> str:
        """Address of the master that it is connected to, or ""."""
        return self._shift.master

    def _tell(self, news: News) -> None:
        self._inbox.append(news)
        self._engine.wake()

    # --- the worker's life -----------------------------------------------------------------------

    def run(self) -> int:
        """Work until the worker is to leave.

        In the main thread SIGTERM and SIGINT drain the worker, the second one ends it at once.

        Returns:
            0 after a drain or a stop, 2 when no master takes the worker, 128 + the signal's number
            when a signal ended it at once.
        """
        try:
            with self._signals():
                self._engine.start()
                self._link.start()
                if (listen := self._settings.listen) is not None:
                    self._link.run_errand(lambda _: self._service.serve(listen))
                while True:
                    code = self._turn()
                    if code is not None:
                        return code
        finally:
            self.close()

    def close(self) -> None:
        """End everything that runs. May be called twice; ``run`` does it."""
        if not self._closed:
            self._closed = True
            # First, since a master acts at once on a stream that ends.
            self._link.close(_LAST_WORDS_S if self._stopped is None else 0.0)
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

    def _turn(self) -> int | None:
        """Hear, do, say, and wait for more; what ``run`` returns when it is over."""
        now = self._clock.monotonic()
        while self._inbox:
            self._shift.take(self._inbox.popleft(), now)
        self._shift.keep_time(now)
        for experiment in self._executor.ready():
            self._telling.say(pb.WorkerEvent(prepared=pb.Prepared(experiment=experiment)))
        self._telling.flush(now)
        code = self._shift.exit if self._stopped is None else self._stopped
        if code is None:
            for event in self._executor.events(self._patience()):
                self._telling.take(event)
        return code

    def _patience(self) -> float:
        """Seconds until there is something to do although nothing happens."""
        if self._inbox:
            return 0.0
        output = self._output.due if self._telling.connected else math.inf
        due = min(self._shift.due, self._telling.due, output)
        return max(0.0, due - self._clock.monotonic())

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
