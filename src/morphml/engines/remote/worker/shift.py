"""What the worker does: hears news, keeps the time, and decides when it is over."""

from __future__ import annotations

import logging
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from morphml.engines.port import Order
from morphml.engines.remote.announcing import beat_to_proto, registration_to_proto
from morphml.engines.remote.messages import Beat, Registration
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.worker.book import Stage
from morphml.engines.remote.worker.figures import FiguresTaker
from morphml.engines.remote.worker.gpu_watch import GpuWatch
from morphml.engines.remote.worker.happenings import (
    Broke,
    CancelAsked,
    DrainAsked,
    EvaluateAsked,
    Fetched,
    Greeting,
    Heard,
    Hopeless,
    News,
    StatusAsked,
    Uploaded,
    Welcomed,
)
from morphml.engines.remote.worker.hearing import Hearing, Parts
from morphml.engines.remote.worker.leaving import Phase, Situation
from morphml.engines.remote.worker.link import Link
from morphml.engines.remote.worker.pulse import Pulse
from morphml.engines.remote.worker.quiet import Quiet
from morphml.engines.remote.worker.settings import WorkerSettings
from morphml.ids import AttemptToken

_log = logging.getLogger(__name__)

#: Exit codes of a worker.
LEFT, REFUSED = 0, 2
#: Attempts for each slot, and beyond that, that may be here: more than masters ever send.
_MOST_OF_SLOT, _MOST_MORE = 12, 64
_BEAT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What does not change while the worker lives."""

    worker: str
    name: str
    #: Of MorphML.
    version: str
    capabilities: Mapping[str, float]


class Shift:
    """One worker at work. Used by one thread.

    Args:
        identity: who it is.
        settings: what the operator set.
        parts: what it works with.
        link: the connection to masters.
        figures: how busy the machine is.
        gpus: which of them get no work.
    """

    def __init__(
        self,
        identity: Identity,
        settings: WorkerSettings,
        parts: Parts,
        link: Link,
        figures: FiguresTaker,
        gpus: GpuWatch,
    ) -> None:
        self._identity = identity
        self._settings = settings
        self._parts = parts
        self._link = link
        self._figures = figures
        self._gpus = gpus
        self._hearing = Hearing(parts, settings.slots * _MOST_OF_SLOT + _MOST_MORE, self._drain)
        self._quiet = Quiet(settings.scratch_linger_s)
        self._now = 0.0
        self._beats = 0
        self._pulse = Pulse()
        self._forget_at = math.inf
        #: Address of the present master, or "".
        self.master = ""
        #: What the worker returns when it is over, else None.
        self.exit: int | None = None

    def take(self, news: News, now: float) -> None:
        """Something happened.

        Args:
            news: what.
            now: seconds of a monotonic clock.
        """
        self._now = now
        match news:
            case Heard():
                self._hearing.take(news.events, now)
            case Greeting():
                self._link.greet(registration_to_proto(self._registration()))
            case Welcomed():
                self._welcome(news)
            case Broke():
                self.master = ""
                self._pulse.broke()
                self._parts.telling.broke()
            case Fetched():
                self._parts.executor.fetched(news)
            case Uploaded():
                self._parts.telling.uploaded(news)
            case DrainAsked():
                self._drain(news.reason, news.grace_s)
            case StatusAsked():
                news.answer(self._status(now))
            case CancelAsked():
                news.answer(self._cancel(news.token))
            case EvaluateAsked():
                self._hearing.evaluate(news)
            case Hopeless():
                _log.error("%s", news.reason)
                self.exit = REFUSED

    def keep_time(self, now: float) -> None:
        """Do what is due."""
        if now >= self._beat_due or (self.master and self._gpus.news()):
            self._pulse.beat(now)
            self._beat(now)
        if now >= self._forget_at:
            self._forget_at = self._parts.book.forget_old(now) or math.inf
        if self.leaves:
            self._leave(now)

    @property
    def leaves(self) -> bool:
        """Whether every end of an attempt may be the last that it waits for."""
        return self._parts.leaving.phase is not Phase.WORKING

    @property
    def due(self) -> float:
        """When ``keep_time`` has something to do next."""
        return min(self._beat_due, self._forget_at, self._parts.leaving.due)

    @property
    def _beat_due(self) -> float:
        return self._pulse.due(self._parts.telling.said_at)

    # --- the connection --------------------------------------------------------------------------

    def _registration(self) -> Registration:
        book = self._parts.book
        return Registration(
            worker=self._identity.worker,
            name=self._identity.name,
            morphml_version=self._identity.version,
            python_version=platform.python_version(),
            slots=self._settings.slots,
            capabilities=self._identity.capabilities,
            attempts=book.names(Stage.WAITING, Stage.RUNNING),
            results=book.names(Stage.ENDED),
            bundles=self._parts.executor.bundles(),
            prepares=True,
        )

    def _welcome(self, news: Welcomed) -> None:
        parts, welcome = self._parts, news.welcome
        self.master = news.target
        parts.book.meet(welcome.store)
        self._pulse.welcomed(welcome.beat_s or _BEAT_S, self._now)
        parts.telling.welcomed(welcome.master)
        parts.executor.fetch_again()
        if self.leaves:
            self._say_draining(0.0)

    def _beat(self, now: float) -> None:
        book = self._parts.book
        self._beats += 1
        self._gpus.look(self._figures.figures(now).gpus, now)
        self._parts.telling.say(pb.WorkerEvent(beat=self._sign_of_life(now)))
        self._parts.telling.retry_uploads()
        self._forget_at = book.forget_old(now) or math.inf
        for experiment in self._quiet.over(self._parts.executor.prepared, book.owners, now):
            self._parts.executor.forget(experiment)

    def _sign_of_life(self, now: float) -> pb.Beat:
        book = self._parts.book
        beat = Beat(
            index=self._beats,
            figures=self._figures.figures(now),
            running=book.tokens(Stage.RUNNING),
            queued=book.tokens(Stage.WAITING),
            unacknowledged=book.tokens(Stage.ENDED),
            shut_gpus=self._gpus.tell(),
            shut_slots=self._gpus.shut_slots,
        )
        return beat_to_proto(beat)

    # --- operators -------------------------------------------------------------------------------

    def _status(self, now: float) -> pb.GetStatusResponse:
        return pb.GetStatusResponse(
            worker_id=self._identity.worker,
            name=self._identity.name,
            master=self.master,
            slots=self._settings.slots,
            beat=self._sign_of_life(now),
        )

    def _cancel(self, token: AttemptToken) -> bool:
        """End an attempt, as if its master had ordered it; whether it waits or runs here."""
        entry = self._parts.book.get(token)
        if entry is None or entry.stage is Stage.ENDED:
            return False
        entry.cancelled = True
        self._parts.executor.order(token, Order.CANCEL)
        return True

    # --- leaving ---------------------------------------------------------------------------------

    def _drain(self, reason: str, grace_s: float | None) -> None:
        grace_s = self._settings.drain_grace_s if grace_s is None else grace_s
        if self._parts.leaving.begin(reason, grace_s, self._now):
            _log.info("leaving: %s; running attempts have %g s", reason, grace_s)
            self._say_draining(grace_s)
            self._evict(Stage.WAITING)

    def _say_draining(self, grace_s: float) -> None:
        draining = pb.Draining(reason=self._parts.leaving.reason, grace_s=grace_s)
        self._parts.telling.say(pb.WorkerEvent(draining=draining))

    def _evict(self, stage: Stage) -> None:
        """End the attempts at this stage; those that have not begun go back."""
        for entry in self._parts.book.held():
            if entry.stage is stage and not entry.evicted:
                entry.evicted = True
                self._parts.executor.order(entry.name.token, Order.CANCEL)

    def _leave(self, now: float) -> None:
        book, leaving = self._parts.book, self._parts.leaving
        unacknowledged = len(book.tokens(Stage.ENDED))
        before = leaving.phase
        phase = leaving.step(Situation(busy=len(book), unacknowledged=unacknowledged), now)
        if phase is Phase.EVICTING and before is not phase:
            self._evict(Stage.RUNNING)
        if phase is Phase.LEFT:
            if unacknowledged:
                _log.warning("leaving with %d results that no master has stored", unacknowledged)
            self._parts.telling.say(pb.WorkerEvent(leaving=pb.Leaving(reason=leaving.reason)))
            self.exit = LEFT
