"""What a master does over and over: reap, take experiments up, pass mail on, lend slots, report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from morphml.clock import Clock
from morphml.engines.port import Order
from morphml.engines.remote.hub import Hub
from morphml.errors import StorageError
from morphml.ids import ExperimentId, SessionId
from morphml.master.cluster.claiming import Claiming
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.drive import Drive
from morphml.master.cluster.neighbours import Neighbours, Wish
from morphml.master.cluster.processes import is_dead
from morphml.master.cluster.reports import report_from_json
from morphml.master.cluster.shares import Shares
from morphml.master.cluster.strays import Strays
from morphml.master.workflows.desk import JOBS
from morphml.master.workflows.duties import JobDuties
from morphml.scheduling.reaping import Reaper, ReaperRule, lost_store, reap
from morphml.search.changes import ExperimentRecord
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.storage import SqlStore
from morphml.storage.cluster import MasterRow, StoredMail

log = logging.getLogger(__name__)

#: Mails of one experiment that are read at once.
MAILS = 1_000
#: Seconds before an experiment is driven again whose drive has just ended here.
REST_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What one life of a master looks after."""

    store: SqlStore
    session: SessionId
    hub: Hub
    clock: Clock
    contexts: Contexts
    shares: Shares
    neighbours: Neighbours
    claiming: Claiming
    jobs: JobDuties
    #: Makes the drive of an experiment, not started.
    new_drive: Callable[[ExperimentId, int], Drive]
    rule: ReaperRule = field(default_factory=ReaperRule)


class Supervisor:
    """Does the duties of one master, a step at a time; the caller decides when.

    Args:
        duties: what to look after.
    """

    def __init__(self, duties: Duties) -> None:
        self._duties = duties
        self._born = duties.clock.monotonic()
        self._reaper = Reaper(reachable_since=self._born)
        self._away = False
        self._reaped_at = self._born - duties.rule.tick_s
        #: Driven by nobody, and left alone until their workers have had time to come here.
        self._early: set[ExperimentId] = set()
        self.drives: dict[ExperimentId, Drive] = {}
        #: Whether there may be tasks of experiments that are not driven here.
        self._somebody_drives = False
        #: Driven by this master, as the store says.
        self._mine: tuple[ExperimentId, ...] = ()
        #: When drives ended here, in monotonic seconds.
        self._ended_at: dict[ExperimentId, float] = {}
        self._strays = Strays(duties.store, duties.session, duties.hub.running)

    def step(self) -> None:
        """Do everything that is due; what needs the store waits while that is away."""
        duties = self._duties
        try:
            self._drop_ended_drives()
            if duties.clock.monotonic() - self._reaped_at >= duties.rule.tick_s:
                masters = duties.store.cluster.masters()
                duties.neighbours.refresh(masters, self._wishes, duties.claiming.is_unable)
                self._reap(masters)
                self._take_up(masters)
                self._send_back()
                self._strays.give_back(self.drives.keys(), duties.clock.monotonic())
                self._drain_workers()
                duties.jobs.tick()
                self._reaped_at = duties.clock.monotonic()
            demands = {name: each.demand() for name, each in self.drives.items()}
            wanted = duties.jobs.demand()
            duties.shares.update(demands | {JOBS: wanted} if wanted.wanted else demands)
            self._read_mail()
            self._pass_orders()
            while self._somebody_drives and duties.claiming.claim(self.drives.keys() | self._early):
                pass
            if wanted.wanted:
                duties.jobs.claim()
        except StorageError as error:
            if not self._away:
                log.warning("the store is away: %s", error)
            self._away = True
            return
        if self._away:
            self._welcome_back()

    def leave(self, grace_s: float) -> None:
        """Let all drives leave off, and wait for them."""
        for drive in self.drives.values():
            drive.leave()
        for drive in self.drives.values():
            drive.join(grace_s)

    # --- duties ----------------------------------------------------------------------------------

    def _drop_ended_drives(self) -> None:
        now = self._duties.clock.monotonic()
        for experiment in [name for name, drive in self.drives.items() if not drive.alive]:
            del self.drives[experiment]
            self._ended_at[experiment] = now
        self._ended_at = {name: at for name, at in self._ended_at.items() if now - at < REST_S}

    def _wishes(self) -> dict[ExperimentId, Wish]:
        """What all want that is driven here."""
        wishes = {name: drive.wish() for name, drive in self.drives.items()}
        return {name: wish for name, wish in wishes.items() if wish is not None}

    def _reap(self, masters: Sequence[MasterRow]) -> None:
        duties = self._duties
        now = duties.clock.monotonic()
        lease_s = duties.rule.lease_s
        # An answer may also come late, and this process may have stood still.
        if self._away or now - self._reaped_at >= lease_s:
            self._welcome_back()
        self._mine = next((m.experiments for m in masters if m.session == duties.session), ())
        renewed = {each.session: now - (lease_s - each.lease_left_s) for each in masters}
        processes = {each.session: report_from_json(each.report).process for each in masters}
        dead = {session for session, process in processes.items() if is_dead(process)}
        self._reaper, ended = reap(self._reaper, renewed, now, duties.rule, dead)
        for session in duties.store.leases.reap(ended):
            how = "its process is dead" if session in dead else "by silence"
            log.warning("master session %s ended: %s; its tasks go back", session[:8], how)
        if now - self._reaper.reachable_since >= lease_s:
            for session in duties.store.leases.reap(duties.store.cluster.rest_workers.late()):
                log.warning("worker session %s ended by silence; its tasks go back", session[:8])

    def _welcome_back(self) -> None:
        """The store was away: nobody could renew a lease, so none is judged for a full lease."""
        self._away = False
        log.info("the store is back")
        self._reaper = lost_store(self._reaper, self._duties.clock.monotonic())

    def _take_up(self, masters: Sequence[MasterRow]) -> None:
        """Drive what nobody drives. Who comes second is told so by the store.

        That may be this master's own: its drive ended, and the store could not be told of it.
        """
        duties = self._duties
        self._early.clear()
        drivable = duties.store.cluster.drivable()
        theirs = any(each.experiments for each in masters if each.session != duties.session)
        self._somebody_drives = theirs or bool(drivable)
        for experiment in dict.fromkeys([*drivable, *self._mine]):
            if experiment in self.drives or experiment in self._ended_at:
                continue
            record = duties.store.experiment(experiment)
            mine = experiment in self._mine
            if mine and record.state is not ExperimentState.RUNNING:
                continue  # it has ended since the masters were read
            if record.state is ExperimentState.RUNNING and not mine and not self._workers_had_time:
                self._early.add(experiment)
                continue
            if not mine and self._others_are_fitter(record):
                continue
            drive = duties.new_drive(experiment, record.priority)
            self.drives[experiment] = drive
            log.info("experiment %s (%s): driving", experiment, record.name)
            drive.start()

    def _others_are_fitter(self, record: ExperimentRecord) -> bool:
        """Whether only workers of other masters can run it, or only other masters can send it.

        The former could run it from here too; there it needs no mail.
        """
        duties = self._duties
        spec = ExperimentSpec.from_json(record.spec)
        if spec.evaluator.kind == "pickle" and not duties.contexts.allow_pickle:
            # Others may still be about to say what they can.
            return duties.neighbours.somebody_sends_pickles or not self._workers_had_time
        if record.state is not ExperimentState.QUEUED:
            return False
        return duties.neighbours.other_masters_alone_could_run(spec.resources)

    @property
    def _workers_had_time(self) -> bool:
        """Whether this master is there for a lease, so that workers of a dead one have found it.

        What they run, and results that nobody took, would else be claimed and run a second time.
        """
        duties = self._duties
        return duties.clock.monotonic() - self._born >= duties.rule.lease_s

    def _send_back(self) -> None:
        """What no worker here can run goes back where one of another master can."""
        duties = self._duties
        for view in duties.hub.waiting():
            if not view.feasible and duties.neighbours.could_run(view.requirements):
                duties.hub.fitting.send_back(view.experiment, view.requirements)

    def _drain_workers(self) -> None:
        """Tell workers that somebody wants gone so, until they are: what is lost is said again."""
        duties = self._duties
        for worker, grace_s in duties.store.cluster.workers.to_drain(duties.session).items():
            duties.hub.drain(worker, grace_s)

    def _read_mail(self) -> None:
        """Hand drives what other masters posted; the commit of an end takes its mail away."""
        duties = self._duties
        found: dict[ExperimentId, list[StoredMail]] = {name: [] for name in self.drives}
        for stored in duties.store.cluster.mail.waiting(list(self.drives), MAILS):
            found[stored.mail.experiment].append(stored)
        for experiment, mails in found.items():
            self.drives[experiment].deliver(mails)

    def _pass_orders(self) -> None:
        """Pass orders on to workers; one of an attempt that is being adopted waits for that."""
        duties = self._duties
        passed = []
        for stored in duties.store.cluster.orders.waiting(duties.session):
            if stored.order.token in duties.hub.running(stored.order.experiment):
                duties.hub.order(stored.order.token, Order(stored.order.order))
                passed.append(stored.id)
        duties.store.cluster.orders.done(passed)
