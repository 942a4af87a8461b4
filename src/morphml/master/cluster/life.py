"""One life of a master: from the opening of its session to the loss or the end of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from morphml.clock import Clock
from morphml.engines.remote.hub import Hub
from morphml.errors import StorageError
from morphml.ids import SessionId
from morphml.master.cluster.claiming import Claiming
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.drive import Drive, DriveParts
from morphml.master.cluster.exchange import CheckpointExchange, folder_name
from morphml.master.cluster.neighbours import Neighbours
from morphml.master.cluster.others import Others, View
from morphml.master.cluster.post import OutgoingMail
from morphml.master.cluster.processes import this_process
from morphml.master.cluster.records import StoreRecords
from morphml.master.cluster.reports import MasterReport
from morphml.master.cluster.settings import MasterSettings
from morphml.master.cluster.shares import Shares
from morphml.master.cluster.supervisor import Duties, Supervisor
from morphml.master.ranking import rank_rule
from morphml.master.session import SessionKeeper
from morphml.master.tally import Tally
from morphml.master.workflows.checkpoints import JobCheckpoints
from morphml.master.workflows.claiming import JobClaiming
from morphml.master.workflows.desk import JobDesk
from morphml.master.workflows.duties import JobDuties
from morphml.master.workflows.housekeeping import Housekeeping
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic

log = logging.getLogger(__name__)


class Life:
    """Everything of a master that goes with its session. The hub and the store outlive it.

    Args:
        store: the truth.
        settings: of the master, its name among them.
        clock: hour and monotonic time.
        hub: where its workers are, once that has been made.
        folder: of the files of all experiments.
        tally: counts what ends.

    Raises:
        StoreInUse: when another process claims tasks on a store that allows one (SQLite).
    """

    def __init__(
        self,
        store: SqlStore,
        settings: MasterSettings,
        clock: Clock,
        hub: Callable[[], Hub],
        folder: Path,
        tally: Tally,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._hub = hub
        self._tally = tally
        self.keeper = SessionKeeper(
            store, clock, settings.name, may_block=False, rule=settings.reaper
        )
        self._exchange = CheckpointExchange(store, self.keeper.session, folder_name(folder))
        self._contexts = Contexts(
            store,
            lambda each: folder / each,
            allow_pickle=settings.allow_pickle,
            exchange=self._exchange,
        )
        self._mail = OutgoingMail(store, self.keeper, hub, self._contexts)
        self._desk = JobDesk(store, self.keeper, hub, JobCheckpoints(self._contexts.folder))
        self._housekeeping = Housekeeping(store, clock, folder, settings.keep_executions_s)
        self.records = StoreRecords(store, self.keeper, self._contexts, self._mail, self._desk)
        self._supervisor: Supervisor | None = None

    def step(self) -> None:
        """Do what is due."""
        if self._supervisor is None:
            self._supervisor = self._make_supervisor()
        self.keeper.tick()
        self._supervisor.step()

    @property
    def over(self) -> bool:
        """Whether the session is lost for good: what it held may be others' by now."""
        if not self.keeper.lost:
            return False
        try:
            return not self.keeper.revive()
        except StorageError:
            return False  # nobody can tell while the store is away; the fence decides later

    @property
    def driven(self) -> list[Drive]:
        """What is driven now."""
        return [] if self._supervisor is None else list(self._supervisor.drives.values())

    def close(self, *, hand_over: bool) -> None:
        """Leave off.

        Args:
            hand_over: whether the session ends in order, so that others take its work at once.
        """
        if self._supervisor is not None:
            self._supervisor.leave(self._settings.stop_grace_s)
        self._mail.close()
        self._desk.close()
        if hand_over:
            with suppress(StorageError):
                self._store.cluster.hand_over(self.keeper.session)
                self._store.hints.send(HintTopic.WORK)
        with suppress(StorageError):
            self.keeper.close()

    @property
    def _told(self) -> MasterReport:
        """What this master says of itself at all times."""
        policy = self._settings.policy
        return MasterReport(
            sends_pickles=self._settings.allow_pickle,
            policy=policy,
            rank_rule=rank_rule(policy),
            process=this_process(),
            place=self._exchange.place,
        )

    def _make_supervisor(self) -> Supervisor:
        hub = self._hub()
        session = self.keeper.session
        self.keeper.watch(lambda: hub.ticked_at)
        neighbours = Neighbours(
            self._store,
            session,
            hub,
            self._clock,
            every_s=self._settings.report_every_s,
            told=self._told,
        )
        shares = Shares(lambda: hub.slots(under_way=True), lambda: neighbours.lent)
        jobs = JobClaiming(self._store, self.keeper, hub, shares, self._desk)
        view = self._view(hub, neighbours)
        parts = DriveParts(
            store=self._store,
            hub=hub,
            life=_Shared(self.keeper),
            clock=self._clock,
            contexts=self._contexts,
            shares=shares,
            others=lambda experiment: Others(view, experiment),
            only_elsewhere=neighbours.alone_could_run,
            tally=self._tally,
            policy=self._settings.policy,
        )
        return Supervisor(
            Duties(
                store=self._store,
                session=session,
                hub=hub,
                clock=self._clock,
                contexts=self._contexts,
                shares=shares,
                neighbours=neighbours,
                claiming=Claiming(
                    self._store, self.keeper, hub, self._contexts, self._clock, shares
                ),
                jobs=JobDuties(jobs, self._desk, self._housekeeping),
                new_drive=lambda experiment, priority: Drive(parts, experiment, priority),
                rule=self._settings.reaper,
            )
        )

    def _view(self, hub: Hub, neighbours: Neighbours) -> View:
        return View(
            store=self._store,
            session=self.keeper.session,
            clock=self._clock,
            running=hub.running,
            busy=hub.fitting.busy,
            spare=neighbours.spare,
        )


class _Shared:
    """The session as drives see it: the master mends its loss, the supervisor ticks for it."""

    def __init__(self, keeper: SessionKeeper) -> None:
        self._keeper = keeper
        self._lock = threading.Lock()

    @property
    def session(self) -> SessionId:
        return self._keeper.session

    @property
    def lost(self) -> bool:
        return self._keeper.lost

    def tick(self) -> None:
        """A driver that is stuck does no harm to the others: the fence guards each."""

    def revive(self) -> bool:
        with self._lock:
            return self._keeper.revive()
