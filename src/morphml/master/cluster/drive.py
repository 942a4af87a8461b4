"""One experiment that this master drives, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from morphml.clock import Clock
from morphml.engines.port import EngineEvent, Order
from morphml.errors import (
    DriverLost,
    MorphError,
    StorageError,
    StoreInUse,
    StoreUnavailable,
    TokenRefused,
)
from morphml.evaluation import EvaluatorSource
from morphml.ids import AttemptToken, ExperimentId
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.engine import ClusterEngine
from morphml.master.cluster.held import held_by
from morphml.master.cluster.mails import event_of, unreadable_end
from morphml.master.cluster.neighbours import Wish
from morphml.master.cluster.others import Others
from morphml.master.cluster.shares import Shares
from morphml.master.crew import Run, make_crew
from morphml.master.driver import ExperimentDriver, HandedOver
from morphml.master.flights import Flights
from morphml.master.session import MasterLife
from morphml.master.tally import Tally
from morphml.scheduling.fair_share import Demand
from morphml.search.changes import Changes, Driver, ExperimentEnd
from morphml.search.experiment import ExperimentState
from morphml.search.progress import Progress
from morphml.space.text import parse_space
from morphml.storage import SqlStore
from morphml.storage.cluster import AttemptOrder, MailKind, StoredMail
from morphml.storage.hints import HintTopic

if TYPE_CHECKING:
    from morphml.engines.remote.hub import Hub, Lane

log = logging.getLogger(__name__)

#: Seconds before the store is tried again, doubled up to the second figure.
BACKOFF_S = (0.2, 5.0)
#: A drive that went well for so long waits only a moment after its next failure.
CALM_S = 60.0
#: Mails that are read before the first turn; the rest comes with the next look.
FIRST_MAILS = 10_000
#: Slots that an experiment asks for before anything is known of it.
MANY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveParts:
    """What all drives of one master's life share."""

    store: SqlStore
    hub: Hub
    life: MasterLife
    clock: Clock
    contexts: Contexts
    shares: Shares
    others: Callable[[ExperimentId], Others]
    #: Whether attempts with such requirements can run at other masters' workers, and not here.
    only_elsewhere: Callable[[Mapping[str, float]], bool]
    #: Counts what ends.
    tally: Tally
    #: Name of the policy that ranks their tasks.
    policy: str


class Drive:
    """Drives one experiment until it ends, another master takes it, or ``leave`` is called.

    When the store goes away, what is in memory is dropped; when it is back the log is folded and
    the drive goes on. Attempts run on meanwhile, and the hub keeps their ends.

    Args:
        parts: of this master's life.
        experiment: which one.
        priority: its weight against the others of this master.
    """

    def __init__(self, parts: DriveParts, experiment: ExperimentId, priority: int) -> None:
        self.experiment = experiment
        self.progress: Progress | None = None
        self._parts = parts
        self._priority = priority
        self._requirements: Mapping[str, float] = {}
        #: Its attempts in the air, as its driver knows them.
        self._flights: Flights | None = None
        #: Slots that it could use at all.
        self._most = MANY
        #: The lane that listens, and the mails that were passed to it.
        self._listening: tuple[Lane, set[tuple[int, float]]] | None = None
        self._leaving = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"morphml-drive-{experiment}", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def priority(self) -> int:
        """Its weight against the others of this master."""
        return self._priority

    @property
    def alive(self) -> bool:
        """Whether it drives, or waits for the store to come back."""
        return self._thread.is_alive()

    def leave(self) -> None:
        """Leave off at the next turn; what runs, runs on."""
        self._leaving.set()

    def join(self, timeout_s: float) -> None:
        """Wait until it has left off."""
        self._thread.join(timeout_s)

    def deliver(self, mails: Sequence[StoredMail]) -> None:
        """Tell the driver what other masters have posted, once after each fold.

        An end stays in the store until the commit that it leads to takes it away. The rest is
        taken away here: as with a worker of one's own, a report may be lost with its master.

        Args:
            mails: all that is there.
        """
        listening = self._listening
        if listening is None or not mails:
            return
        lane, passed = listening  # a lane that is closed meanwhile takes its marks with it
        # SQLite gives the id of a mail that was taken away to a later one.
        names = {(each.id, each.posted_at): each for each in mails}
        lane.push(self._events([each for name, each in names.items() if name not in passed]))
        passed.clear()
        passed.update(names)
        told = [each.id for each in mails if each.mail.kind is not MailKind.FINISHED]
        self._parts.store.cluster.mail.take_away(told)

    def _events(self, mails: Sequence[StoredMail]) -> list[EngineEvent]:
        """What the mails say; one that cannot be read is told to people.

        An end that cannot be read is still an end: its trial would else wait for ever.
        """
        folder = self._parts.contexts.folder(self.experiment)
        events: list[EngineEvent] = []
        for stored in mails:
            try:
                events.append(event_of(stored.mail, folder))
            except (MorphError, ValueError, KeyError, TypeError) as error:
                log.error(
                    "experiment %s, trial %d: a mail of kind %s cannot be read: %r; is a master "
                    "of another version about?",
                    self.experiment,
                    stored.mail.number,
                    stored.mail.kind,
                    error,
                )
                if stored.mail.kind is MailKind.FINISHED:
                    events.append(unreadable_end(stored, error))
        return events

    def wish(self) -> Wish | None:
        """What it wants of all masters together; None before that is known."""
        return None if self.progress is None else Wish(demand=self._all(), needs=self._requirements)

    def demand(self) -> Demand:
        """The slots of this master that it fills or could fill now."""
        only_elsewhere = self.progress and self._parts.only_elsewhere(self._requirements)
        if not only_elsewhere:
            return self._all()
        return replace(self._all(), wanted=len(self._parts.hub.running(self.experiment)))

    def _all(self) -> Demand:
        """The slots that it could fill, wherever they are."""
        seen = self.progress
        wanted = MANY
        if seen is not None:
            wanted = max(0, seen.budget - seen.taken) + seen.counts.get("pending", 0)
        return Demand(weight=float(self._priority), wanted=min(wanted, self._most))

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        pause, longest = BACKOFF_S
        while not self._leaving.is_set():
            began = self._parts.clock.monotonic()
            try:
                reason = self._drive()
                log.info("experiment %s: ended: %s", self.experiment, reason)
                return
            except HandedOver:
                return
            except (DriverLost, StoreInUse) as error:
                log.info("experiment %s: driven elsewhere: %s", self.experiment, error)
                return
            except (StoreUnavailable, TokenRefused) as error:
                # Refused: another master took an attempt just now, and the fold knows whose it is.
                why = "folds anew" if isinstance(error, TokenRefused) else "waits for the store"
                log.warning("experiment %s: %s: %s", self.experiment, why, error)
                self._leaving.wait(pause)
                pause = min(2 * pause, longest)
            except MorphError as error:
                log.error("experiment %s: stopped: %s", self.experiment, error)
                return
            except Exception:
                log.exception("experiment %s: stopped", self.experiment)
                return
            if self._parts.clock.monotonic() - began > CALM_S:
                pause = BACKOFF_S[0]

    def _drive(self) -> str:
        parts = self._parts
        right = parts.store.acquire_driver(self.experiment, parts.life.session)
        lane = parts.hub.lane(self.experiment, lambda: parts.shares.of(self.experiment))
        with closing(self._engine(lane)) as engine:
            try:
                driver = self._driver(right, engine)
                self._listening = (lane, set())
                waiting = parts.store.cluster.mail.waiting([self.experiment], FIRST_MAILS)
                self.deliver(waiting)
                return driver.run()
            except (StoreUnavailable, TokenRefused, DriverLost, HandedOver):
                raise
            except Exception as error:
                # Whoever looks at the store sees why nobody drives on; an end that is stored stays.
                reason = f"{type(error).__name__}: {error}"
                end = ExperimentEnd(state=ExperimentState.PAUSED, reason=reason)
                with suppress(StorageError):
                    parts.store.commit(right, Changes(end=end))
                raise
            finally:
                self._listening = None

    def _engine(self, lane: Lane) -> ClusterEngine:
        hub, store, session = self._parts.hub, self._parts.store, self._parts.life.session
        return ClusterEngine(
            lane,
            here=lambda: hub.running(self.experiment),
            held=lambda: held_by(store, self.experiment, session),
            order_elsewhere=self._order_elsewhere,
        )

    def _driver(self, right: Driver, engine: ClusterEngine) -> ExperimentDriver:
        parts = self._parts
        record = parts.store.experiment(self.experiment)
        known = parts.contexts.of(self.experiment)
        spec = record.current_spec
        assert spec.space is not None, "its context could not have been made"
        self._requirements = spec.resources
        self._most = spec.workers if spec.deterministic else MANY
        run = Run(
            store=parts.store,
            experiment=self.experiment,
            spec=spec,
            space=parse_space(spec.space),
            source=EvaluatorSource(
                name=spec.evaluator.reference,
                path=spec.evaluator.reference if spec.evaluator.kind == "path" else None,
                digest=spec.evaluator.digest,
            ),
            folder=known.folder,
            exchange=parts.contexts.exchange,
            workers=spec.workers,
            observer=self._observe,
            tally=parts.tally,
            policy=parts.policy,
        )
        crew = make_crew(
            run,
            engine,
            parts.life,
            parts.clock,
            parts.others(self.experiment),
            self._leaving.is_set,
        )
        self._flights = crew.flights
        return ExperimentDriver(crew, right, run.observer, record.spent_s)

    def _observe(self, progress: Progress) -> None:
        self.progress = progress
        if (listening := self._listening) is not None:
            listening[0].expect(max(0, progress.budget - progress.taken))

    def _order_elsewhere(self, token: AttemptToken, order: Order) -> None:
        flight = None if self._flights is None else self._flights.get(token)
        if flight is not None:
            sent = AttemptOrder(
                experiment=self.experiment, number=flight.number, token=token, order=order
            )
            self._parts.store.cluster.orders.send([sent])
            self._parts.store.hints.send(HintTopic.MAIL)
