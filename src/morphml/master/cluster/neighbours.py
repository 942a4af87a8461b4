"""This master among the others: what it tells them, and how many slots who lends to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from morphml.clock import Clock
from morphml.engines.remote.hub import Hub
from morphml.ids import ExperimentId, SessionId
from morphml.master.cluster.reports import MasterReport, report_from_json
from morphml.master.cluster.roll import Roll
from morphml.scheduling.fair_share import Demand
from morphml.scheduling.lending import Pool, lend
from morphml.scheduling.resources import Capacity, Requirements
from morphml.storage import SqlStore
from morphml.storage.cluster import MasterRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an experiment that is driven here wants."""

    demand: Demand
    #: What one attempt takes of its worker.
    needs: Mapping[str, float]


class Neighbours:
    """Tells the store of this master, and learns from it what the others have and want.

    Args:
        store: has the reports of all masters and the rows of all workers.
        session: of this master.
        hub: has its workers.
        clock: hour and monotonic time.
        every_s: seconds between two reports.
        told: what this master always says of itself; slots and wishes are added.
    """

    def __init__(
        self,
        store: SqlStore,
        session: SessionId,
        hub: Hub,
        clock: Clock,
        *,
        every_s: float,
        told: MasterReport,
    ) -> None:
        self._store = store
        self._session = session
        self._hub = hub
        self._clock = clock
        self._every_s = every_s
        self._always = told
        self._roll = Roll(store, session, hub, clock)
        self._reported_at: float | None = None
        #: What the store has of this master.
        self._told: MasterReport | None = None
        #: Reports of the other masters.
        self._others: dict[SessionId, MasterReport] = {}
        #: What each worker of other masters has, and its slots.
        self._workers: list[_Other] = []
        #: The same of workers over REST, by session.
        self._rest: dict[SessionId, _Other] = {}
        #: Slots that each master keeps for experiments of others.
        self._lent: dict[SessionId, dict[ExperimentId, int]] = {}

    @property
    def lent(self) -> Mapping[ExperimentId, int]:
        """Slots of this master's workers that each experiment of the others has a right to."""
        mine = self._lent.get(self._session, {})
        wanted = (key for report in self._others.values() for key in report.pool.demands)
        return {experiment: mine.get(experiment, 0) for experiment in wanted}

    def spare(self, experiment: ExperimentId) -> int:
        """Slots that other masters lend to an experiment that is driven here."""
        lent = (by.get(experiment, 0) for who, by in self._lent.items() if who != self._session)
        return sum(lent)

    def could_run(self, requirements: Mapping[str, float]) -> bool:
        """Whether workers of other masters, or over REST, could run attempts with such needs.

        Of a gang that is a guess: that so many are there says not that one master has them.
        """
        needs = Requirements.parse(requirements)
        return self._able(needs, self._workers) or self._able(needs, self._rest.values())

    def alone_could_run(self, requirements: Mapping[str, float]) -> bool:
        """Whether workers could run attempts with these requirements, but none of this master."""
        return not self._hub.fitting.could_run(requirements) and self.could_run(requirements)

    def other_masters_alone_could_run(self, requirements: Mapping[str, float]) -> bool:
        """The same of other masters' workers only: those over REST drive nothing."""
        needs = Requirements.parse(requirements)
        here = self._hub.fitting.could_run(requirements)
        return not here and self._able(needs, self._workers)

    @property
    def somebody_sends_pickles(self) -> bool:
        """Whether another master sends evaluators that were submitted as pickles."""
        return any(report.sends_pickles for report in self._others.values())

    def refresh(
        self,
        masters: Sequence[MasterRow],
        wishes: Callable[[], Mapping[ExperimentId, Wish]],
        unable: Callable[[ExperimentId], bool],
    ) -> None:
        """Write and read, when it is time.

        Args:
            masters: all of them, read just now.
            wishes: of the experiments that are driven here.
            unable: of which experiments this master can send nothing to its workers.
        """
        now = self._clock.monotonic()
        if self._reported_at is not None and now - self._reported_at < self._every_s:
            return
        self._reported_at = now
        self._roll.write()
        self._others = {
            each.session: report_from_json(each.report)
            for each in masters
            if each.session != self._session
        }
        report = self._report(wishes(), unable)
        if report != self._told:
            self._store.cluster.report(self._session, report.to_json())
            self._told = report
        pools = {session: each.pool for session, each in self._others.items()}
        pools |= self._pools_of_rest_workers(report)
        self._lent = lend({self._session: report.pool, **pools}) if pools else {}
        elsewhere = self._store.cluster.workers.elsewhere(self._session) if pools else []
        self._workers = [
            _Other(Capacity.parse(offers), int(str(figures.get("slots", 0))))
            for offers, figures in elsewhere
        ]

    def _pools_of_rest_workers(self, mine: MasterReport) -> dict[SessionId, Pool[ExperimentId]]:
        """Workers over REST claim as masters do, and have no experiments of their own."""
        self._rest = {
            session: _Other(Capacity.parse(offers), slots)
            for session, (offers, slots) in self._store.cluster.rest_workers.living().items()
        }
        told = (mine, *self._others.values())
        needs = {
            experiment: Requirements.parse(each)
            for report in told
            for experiment, each in report.needs.items()
        }
        return {
            session: Pool(
                slots=slots,
                able={key: 0 for key, each in needs.items() if not capacity.could(each)},
            )
            for session, (capacity, slots) in self._rest.items()
        }

    @staticmethod
    def _able(needs: Requirements, workers: Iterable[_Other]) -> bool:
        able = sum(bool(other.slots) and other.capacity.could(needs) for other in workers)
        return able >= needs.workers

    def _report(
        self, wishes: Mapping[ExperimentId, Wish], unable: Callable[[ExperimentId], bool]
    ) -> MasterReport:
        needs = {experiment: wish.needs for experiment, wish in wishes.items()}
        theirs = {key: each for told in self._others.values() for key, each in told.needs.items()}
        slots = self._roll.slots
        able = {
            experiment: 0 if unable(experiment) else self._roll.able(Requirements.parse(each))
            for experiment, each in {**theirs, **needs}.items()
        }
        return replace(
            self._always,
            pool=Pool(
                slots=slots,
                demands={experiment: wish.demand for experiment, wish in wishes.items()},
                able={experiment: most for experiment, most in able.items() if most < slots},
            ),
            needs=needs,
        )


class _Other(NamedTuple):
    """A worker of another master."""

    capacity: Capacity
    slots: int
