"""Tasks that need several workers at once: all of them or none, and never a deadlock."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.placing import PlacingRule
from morphml.scheduling.policies import policy_names
from morphml.scheduling.resources import Holdings, Requirements
from morphml.scheduling.scheduler import Scheduler, create_scheduler
from morphml.scheduling.waiting import WaitingTask

#: Needs of one worker, and how many workers at once.
KINDS = [
    {},
    {"gpu": 0.5},
    {"gpu": 1.0},
    {"workers": 2},
    {"workers": 3},
    {"gpu": 1.0, "workers": 2},
    {"gpu": 1.0, "workers": 3},
    {"gpu": 0.5, "cpu": 2.0, "workers": 2},
]
OFFERS = {"gpu": 1.0, "cpu": 4.0}
WORKERS = 4
#: Virtual seconds that the longest task takes, and that a gang waits before workers are kept.
LONGEST_S, PATIENCE_S = 9.0, 3.0


class Play:
    """A scheduler under a virtual clock; checks every placement against holdings of its own."""

    def __init__(self, policy: str) -> None:
        rule = PlacingRule(elsewhere_s=1.0, gang_after_s=PATIENCE_S)
        self.scheduler: Scheduler = create_scheduler(policy, rule)
        self.holdings = {}
        for number in range(WORKERS):
            worker = f"w{number}"
            self.scheduler.fleet.put(worker, name=worker, slots=2, capabilities=OFFERS, held={})
            seat = self.scheduler.fleet.get(worker)
            assert seat is not None
            self.holdings[worker] = Holdings(seat.holdings.capacity)
        self.ends: list[tuple[float, str, float]] = []
        self.ended: Counter[str] = Counter()
        self.now = 0.0

    def submit(self, number: int, kind: int) -> None:
        """One task of a kind; it is told whether it could ever run."""
        self.scheduler.submit(
            WaitingTask(
                token=AttemptToken(f"t{number}"),
                experiment=ExperimentId("e"),
                rank=float(number),
                needs=Requirements.parse(KINDS[kind]),
            )
        )

    def place(self, seconds: list[float]) -> None:
        """Place all that fits now."""
        while (placement := self.scheduler.decide(self.now)) is not None:
            needs = placement.task.needs
            assert len(set(placement.workers)) == len(placement.workers) == needs.workers
            for worker in placement.workers:
                held = self.holdings[worker]
                assert held.fits(needs.one_at_a_time), "more than there is was promised"
                assert len(held.held) < 2
                held.take(placement.token, needs.one_at_a_time)
            lasts = seconds[int(placement.token[1:])]
            heappush(self.ends, (self.now + lasts, placement.token, lasts))

    def end_next(self) -> None:
        """Go on to the next end, or to when the scheduler wants to look again."""
        due = self.scheduler.due()
        if self.ends and self.ends[0][0] <= due:
            self.now, token, lasts = heappop(self.ends)
            for held in self.holdings.values():
                held.release(token)
            self.ended[token] += 1
            self.scheduler.ended(AttemptToken(token), seconds=lasts, succeeded=True, now=self.now)
        else:
            assert due < float("inf"), f"{len(self.scheduler)} wait for ever at {self.now}"
            self.now = max(self.now, due)


@pytest.mark.parametrize("policy", policy_names())
@given(
    tasks=st.lists(
        st.tuples(st.integers(0, len(KINDS) - 1), st.sampled_from([0.5, 1.0, LONGEST_S])),
        min_size=1,
        max_size=30,
    )
)
def test_gangs_and_single_tasks_all_end(policy: str, tasks: list[tuple[int, float]]) -> None:
    play = Play(policy)
    seconds = [lasts for _, lasts in tasks]
    for number, (kind, _) in enumerate(tasks):
        play.submit(number, kind)
    for _ in range(20 * len(tasks) + 100):
        play.place(seconds)
        if len(play.ended) == len(tasks):
            break
        play.end_next()
    assert play.ended == Counter(f"t{number}" for number in range(len(tasks)))
    # Were everything done one after the other, with a wait before each, it would take this long.
    assert play.now <= sum(seconds) + (PATIENCE_S + 1.0) * len(tasks)


@pytest.mark.parametrize("policy", policy_names())
def test_gang_runs_though_single_tasks_never_cease(policy: str) -> None:
    """Small tasks keep coming: workers are kept for the gang once it has waited."""
    play = Play(policy)
    seconds = [1.0] * 1000
    for number in range(16):
        play.submit(number, 0)
    play.place(seconds)
    play.submit(999, KINDS.index({"gpu": 1.0, "workers": 3}))
    number = 16
    while not play.ended["t999"]:
        play.submit(number, 0)
        number += 1
        play.place(seconds)
        play.end_next()
        assert play.now < 30.0, "the gang starves"
    assert play.now <= PATIENCE_S + LONGEST_S
