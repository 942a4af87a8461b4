"""What came of one run, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from morphml.testing.simulator.bounds import Changes, lower_bound
from morphml.testing.simulator.cluster import Cluster
from morphml.testing.simulator.desk import Desk
from morphml.testing.simulator.records import Records
from morphml.testing.simulator.scenario import Scenario
from morphml.testing.simulator.work import Work

_Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long tasks waited from when they were ready until they first began to run."""

    median_s: float
    #: 19 of 20 waited no longer.
    p95_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run."""

    scenario: str
    policy: str
    seed: int
    workers: int
    slots: int
    tasks: int
    #: Tasks whose result was stored; the others were given up.
    succeeded: int
    #: Attempts that were placed; that were lost with a worker; that their worker took back.
    attempts: int
    lost: int
    adopted: int
    #: Seconds until every task had ended.
    makespan_s: float
    #: Seconds that no policy could beat, see ``lower_bound``.
    bound_s: float
    #: Share of the slots that lived in which an attempt ran, until the queue ran dry.
    slot_use: float
    #: The same, counting only attempts whose result was stored.
    useful: float
    #: Share of the slots that lived in which nothing ran, until the end.
    idle: float
    #: By priority, highest first.
    waits: Mapping[int, Wait]
    #: Jain's index of the experiments' slot time over their priorities, from 1/n to 1, while all
    #: of them wanted slots; 1 for a single one.
    fairness: float
    #: Decisions that placed an attempt, and processor microseconds of each with all that the
    #: scheduler does for it. The one figure that is measured, and differs between equal runs.
    decisions: int
    decision_us: float
    #: Workers that were looked at for each decision: what its time may grow with.
    looked: float
    #: Of the event log; equal for equal courses.
    digest: str

    @property
    def over_bound(self) -> float:
        """The makespan over the lower bound, minus 1."""
        return self.makespan_s / self.bound_s - 1.0 if self.bound_s else 0.0


def outcome_of(
    scenario: Scenario, policy: str, seed: int, work: Work, cluster: Cluster, desk: Desk
) -> Outcome:
    """The figures of a run that is over."""
    records = desk.records
    end = max(records.stored_at, default=0.0)
    finished = [task for task, count in enumerate(records.stored) if count]
    spans = _Spans.of(cluster)
    dry = records.dry_at if records.dry_at > 0 else end
    there = _slot_seconds(cluster.changes, dry)
    used = spans.within(0.0, dry)
    all_there = _slot_seconds(cluster.changes, end)
    return Outcome(
        scenario=scenario.name,
        policy=policy,
        seed=seed,
        workers=sum(kind.count for kind in scenario.workers),
        slots=scenario.slots,
        tasks=scenario.tasks,
        succeeded=records.succeeded,
        attempts=records.placed,
        lost=records.lost,
        adopted=records.adopted,
        makespan_s=end,
        bound_s=lower_bound(work, finished, cluster.changes),
        slot_use=float(used.sum()) / there,
        useful=float(used[spans.stored].sum()) / there,
        idle=max(0.0, 1.0 - float(spans.within(0.0, end).sum()) / all_there),
        waits=_waits(work, records),
        fairness=_fairness(work, records, spans),
        decisions=records.placed,
        decision_us=1e6 * desk.watch.spent_s / max(1, records.placed),
        looked=desk.scheduler.fleet.looked / max(1, records.placed),
        digest=records.digest,
    )


@dataclass(frozen=True, slots=True)
class _Spans:
    """What ran when, as columns."""

    begun: _Times
    ended: _Times
    slots: _Times
    task: npt.NDArray[np.int64]
    stored: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, cluster: Cluster) -> _Spans:
        spans = cluster.spans
        return cls(
            np.array([span[0] for span in spans]),
            np.array([span[1] for span in spans]),
            np.array([span[2] for span in spans], dtype=float),
            np.array([span[3].task for span in spans], dtype=np.int64),
            np.array([span[3].stored for span in spans], dtype=bool),
        )

    def within(self, begin: float, end: float) -> _Times:
        """Slot seconds of each between two times."""
        lengths = np.minimum(self.ended, end) - np.maximum(self.begun, begin)
        inside: _Times = np.maximum(lengths, 0.0) * self.slots
        return inside


def _slot_seconds(changes: Changes, end: float) -> float:
    """Slot seconds of all machines until ``end``."""
    total = sum(sign * kind.slots * max(0.0, end - at) for at, kind, sign in changes)
    return total or 1.0


def _waits(work: Work, records: Records) -> dict[int, Wait]:
    began, ready = np.asarray(records.began_at), np.asarray(records.ready_at)
    priorities = np.array([load.priority for load in work.loads])[np.asarray(work.load_of)]
    found = {}
    for priority in sorted(set(priorities.tolist()), reverse=True):
        chosen = (priorities == priority) & (began >= 0)
        if chosen.any():
            waited = began[chosen] - ready[chosen]
            median, p95 = np.quantile(waited, [0.5, 0.95]).tolist()
            found[priority] = Wait(median_s=median, p95_s=p95)
    return found


def _fairness(work: Work, records: Records, spans: _Spans) -> float:
    if len(work.loads) == 1:
        return 1.0
    load_of = np.asarray(work.load_of)
    began = np.asarray(records.began_at)
    until = min(float(began[load_of == n].max()) for n in range(len(work.loads)))
    since = max(load.arrives_s for load in work.loads)
    if until <= since:
        return 1.0
    used = np.bincount(
        load_of[spans.task], weights=spans.within(since, until), minlength=len(work.loads)
    )
    each = used / np.array([load.priority for load in work.loads])
    squares = float((each**2).sum())
    return float(each.sum()) ** 2 / (len(each) * squares) if squares else 1.0
