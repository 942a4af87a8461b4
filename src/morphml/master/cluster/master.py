"""A master process: one store, one hub of workers, as many experiments as it finds to drive."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from morphml.clock import Clock, SystemClock
from morphml.engines.port import EngineEvent
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.hub import Hub, HubSettings, Identity
from morphml.engines.remote.messages import AttemptName, ContextMessage
from morphml.errors import StorageError, StoreUnavailable
from morphml.ids import AttemptToken, ExperimentId
from morphml.jobs import Artifact, ArtifactFolder
from morphml.master.cluster.agreement import check_agreement
from morphml.master.cluster.drive import Drive
from morphml.master.cluster.life import Life
from morphml.master.cluster.settings import MasterSettings
from morphml.master.places import artifacts_folder
from morphml.master.ranking import rank_rule
from morphml.master.session import process_name
from morphml.master.tally import Tally
from morphml.settings import read_settings
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.version import __version__

log = logging.getLogger(__name__)

#: Seconds between two looks at the store's identity and at the other masters.
LOOK_AROUND_S = 2.0
#: Seconds between two steps when nothing hints at work.
STEP_S = 1.0


class Master:
    """A master; a context manager that starts and stops it.

    Args:
        settings: of the master.
        access: who is let in.
        clock: hour and monotonic time; the system's by default.

    Raises:
        StorageError: when the store cannot be opened.
        SchedulingError: when there is no such policy.
    """

    def __init__(
        self, settings: MasterSettings, access: ServerAccess, clock: Clock | None = None
    ) -> None:
        self.settings = replace(
            settings,
            name=settings.name or process_name(),
            policy=settings.policy or read_settings().master.policy,
        )
        rule = rank_rule(self.settings.policy)  # before anything is opened
        log.debug("tasks are ranked by %s: %s", self.settings.policy, rule)
        self._clock = clock or SystemClock()
        #: What ended in the experiments that were driven here.
        self.tally = Tally()
        self.store: SqlStore = open_store(
            settings.storage,
            StoreOptions(
                durability=read_settings().store.durability,
                session_lease_s=settings.reaper.lease_s,
                policy=self.settings.policy,
            ),
        )
        self._folder = settings.artifacts or artifacts_folder(settings.storage)
        self._life: Life | None = None
        self._known: Identity | None = None
        self._looked_at = -math.inf
        usual = HubSettings.of_beat(settings.beat_s, listen=settings.listen, ahead=settings.ahead)
        self.hub = Hub(
            replace(
                usual,
                policy=self.settings.policy,
                faults=settings.faults,
                health=settings.health,
            ),
            _CurrentRecords(self),
            access,
            self._identity,
            self._clock,
        )
        self._hints = self.store.hints.listen()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="morphml-master", daemon=True)

    @property
    def port(self) -> int:
        """The port that workers dial."""
        return self.hub.port

    @property
    def address(self) -> str:
        """What workers and other masters are told to dial."""
        return self.settings.address(self.hub.port)

    @property
    def driven(self) -> list[Drive]:
        """What is driven here now."""
        return [] if self._life is None else self._life.driven

    @property
    def life(self) -> Life:
        """The present life.

        Raises:
            StoreUnavailable: between two lives, and before the start.
        """
        if self._life is None:
            raise StoreUnavailable("this master has no session at the moment")
        return self._life

    def start(self) -> None:
        """Listen and begin to work.

        Raises:
            WorkerError: when the port is taken.
            StorageError: when no session can be opened.
            SchedulingError: when other masters of the store rank tasks by another rule.
        """
        try:
            self._begin()
            others = self.store.cluster.masters()
            check_agreement(others, self.life.keeper.session, self.settings.policy)
            self._look_around()
            self.hub.start()
            self.store.cluster.announce(self.life.keeper.session, self.address)
        except BaseException:
            self._take_down()
            raise
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended; False when it still runs then.

        Raises:
            BaseException: what ended it, when that was not ``stop``.
        """
        if not self._ended.wait(timeout_s):
            return False
        if self._error is not None:
            raise self._error
        return True

    def stop(self) -> None:
        """Leave off and hand everything over; workers go to another master. May be called twice."""
        self._stopping.set()
        self._hints.wake()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it."""
        self.stop()

    # --- the thread ------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._life = Life(
            self.store,
            self.settings,
            self._clock,
            lambda: self.hub,
            self._folder,
            self.tally,
        )

    def _look_around(self) -> bool:
        """Learn what workers are told of this master; whether the store is the one it was."""
        life, before = self.life, self._known
        self._known = Identity(
            session=life.keeper.session,
            version=__version__,
            store=self.store.cluster.identity(),
            masters=sorted(
                master.address
                for master in self.store.cluster.masters()
                if master.address and master.session != life.keeper.session
            ),
        )
        self._looked_at = self._clock.monotonic()
        if before is not None and before.masters != self._known.masters:
            self.hub.tell_masters(self._known.masters)
        return before is None or before.store == self._known.store

    def _identity(self) -> Identity:
        """What workers are told; without a question to the store, which may be away."""
        if self._known is None:
            raise StorageError("this master has not begun")
        return self._known

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._step()
                self._hints.wait(STEP_S)
        except BaseException as error:
            self._error = error
            log.exception("the master ends")
        finally:
            self._take_down()
            self._ended.set()

    def _step(self) -> None:
        if self._life is not None and self._life.over:
            log.warning("the session's lease ran out and others ended it; a new life begins")
            self._end_life(hand_over=False)
        elif self._life is not None and not self._is_same_store():
            log.warning("the store is another one, after a failover; a new life begins")
            self._end_life(hand_over=True)
        if self._life is None:
            try:
                self._begin()
                self._look_around()
                self.store.cluster.announce(self.life.keeper.session, self.address)
            except StorageError as error:
                log.warning("no session can be opened: %s", error)
                return
        self.life.step()

    def _end_life(self, *, hand_over: bool) -> None:
        """Drop what is in memory; workers come back, and offer again what they know."""
        life, self._life = self.life, None
        self.hub.drop_all()
        life.close(hand_over=hand_over)

    def _is_same_store(self) -> bool:
        if self._clock.monotonic() - self._looked_at < LOOK_AROUND_S:
            return True
        try:
            return self._look_around()
        except StorageError:
            return True  # it is away: who knows

    def _take_down(self) -> None:
        """Workers first: they go elsewhere and announce what they run before its lease ends."""
        self.hub.close(grace_s=self.settings.stop_grace_s)
        if self._life is not None:
            self._life.close(hand_over=True)
            self._life = None
        self.store.close()


class _CurrentRecords:
    """The records of whatever life the master has at the moment."""

    def __init__(self, master: Master) -> None:
        self._master = master

    def adopt(self, attempts: Sequence[AttemptName]) -> list[AttemptToken]:
        return self._master.life.records.adopt(attempts)

    def ended(self, attempts: Sequence[AttemptName]) -> list[AttemptToken]:
        return self._master.life.records.ended(attempts)

    def context(self, experiment: ExperimentId) -> ContextMessage | None:
        return self._master.life.records.context(experiment)

    def elsewhere(
        self, experiment: ExperimentId, events: Sequence[EngineEvent], attempt: AttemptName
    ) -> None:
        self._master.life.records.elsewhere(experiment, events, attempt)

    def checkpoint_path(self, attempt: AttemptName, step: int) -> Path:
        return self._master.life.records.checkpoint_path(attempt, step)

    def artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        return self._master.life.records.artifacts(execution)

    def share_artifact(self, execution: ExperimentId, artifact: Artifact) -> None:
        self._master.life.records.share_artifact(execution, artifact)

    def fetch_artifact(self, execution: ExperimentId, artifact: Artifact) -> bool:
        return self._master.life.records.fetch_artifact(execution, artifact)

    def bundle(self, digest: str) -> Iterator[bytes] | None:
        return self._master.life.records.bundle(digest)
