"""A scheduler driven through random events, beside a record of what was done that trusts nobody."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.placing import PlacingRule
from morphml.scheduling.policies import Policy
from morphml.scheduling.resources import Requirements
from morphml.scheduling.scheduler import Placement, Scheduler
from morphml.scheduling.seat import Ahead, is_avoided
from morphml.scheduling.waiting import WaitingTask
from morphml.seeds import generator

#: Steps of one play before everything is let run to its end.
STEPS = 60
_RULE = PlacingRule(elsewhere_s=2.0, gang_after_s=3.0)
_NEEDS: tuple[Mapping[str, float], ...] = (
    {},
    {},
    {},
    {"gpu": 0.5},
    {"gpu": 1},
    {"ssd": 1},
    {"gpu": 0.5, "ssd": 1},
    {"workers": 2},
)


@dataclass(slots=True)
class _Worker:
    """What a worker has, and what lies there."""

    slots: int
    offers: Mapping[str, float]
    open: bool
    held: dict[AttemptToken, Requirements]

    def overbooked(self, ahead: Ahead | None) -> bool:
        """Whether more lies there than it has, and may be queued there."""
        shares = sum(needs.gpu.amount for needs in self.held.values() if needs.gpu)
        lacks = any(self.offers.get(n, 0.0) < v for r in self.held.values() for n, v in r.labels)
        limit = self.slots if ahead is None else self.slots * (1 + ahead.most)
        return len(self.held) > limit or shares > self.offers.get("gpu", 0.0) + 1e-6 or lacks

    def could(self, needs: Requirements) -> bool:
        gpu = needs.gpu.amount if needs.gpu else 0.0
        labels = all(self.offers.get(name, 0.0) >= much for name, much in needs.labels)
        return labels and gpu <= self.offers.get("gpu", 0.0)

    def fits(self, needs: Requirements) -> bool:
        """Whether one more fits: its one device holds two halves or one whole."""
        gpu = needs.gpu.amount if needs.gpu else 0.0
        used = sum(each.gpu.amount for each in self.held.values() if each.gpu)
        free = self.open and len(self.held) < self.slots
        return free and self.could(needs) and used + gpu <= self.offers.get("gpu", 0.0)


class PolicyPlay:
    """One play.

    Args:
        policy: a fresh one.
        rng: decides what happens.
    """

    def __init__(self, policy: Policy, rng: np.random.Generator) -> None:
        self.scheduler = Scheduler(policy, _RULE)
        self._rng = rng
        self._now = 0.0
        self._workers: dict[str, _Worker] = {}
        self._tasks: dict[AttemptToken, WaitingTask] = {}
        self._waiting: dict[AttemptToken, float] = {}
        self.placements: list[Placement] = []
        self.submitted: set[AttemptToken] = set()
        self.withdrawn: set[AttemptToken] = set()
        #: Placements at workers that had no room for them.
        self.overbooked: list[Placement] = []
        #: Placements at workers to be avoided that need not have been.
        self.went_back: list[Placement] = []
        #: Tasks that waited though a worker was free for them, and no time was given.
        self.idle: list[WaitingTask] = []

    def run(self) -> None:
        """Let things happen, then let all end."""
        for number in range(4):
            self._join(f"w{number}")
        for _ in range(STEPS):
            self._step()
            self._decide()
        self._finish()

    # --- what happens ----------------------------------------------------------------------------

    def _step(self) -> None:
        self._now += float(self._rng.exponential(0.5))
        running = [(w, t) for w, worker in self._workers.items() for t in worker.held]
        chance = self._rng.random()
        if chance < 0.5:
            self._submit()
        elif chance < 0.8 and running:
            self._end(running[int(self._rng.integers(len(running)))][1])
        elif chance < 0.86:
            name = self._any_worker()
            self._workers[name].open = not self._workers[name].open
            self.scheduler.fleet.open(name, self._workers[name].open)
        elif chance < 0.93:
            self._leave(self._any_worker())
            self._join(f"v{len(self.placements)}-{len(self.submitted)}")
        elif self._waiting:
            token = list(self._waiting)[int(self._rng.integers(len(self._waiting)))]
            assert self.scheduler.withdraw(token)
            self.withdrawn.add(token)
            del self._waiting[token]

    def _submit(self) -> None:
        number = len(self.submitted)
        names = list(self._workers)
        avoid = tuple(name for name in names if self._rng.random() < 0.1)
        task = WaitingTask(
            token=AttemptToken(f"t{number}"),
            experiment=ExperimentId(f"e{number % 3}"),
            rank=self._now - 60.0 * int(self._rng.integers(1, 11)),
            needs=Requirements.parse(_NEEDS[int(self._rng.integers(len(_NEEDS)))]),
            avoid=avoid,
            affinity=(f"d{number % 2}",) if number % 4 == 0 else (),
            cost=None if number % 3 == 0 else float(self._rng.lognormal()),
        )
        self.scheduler.submit(task)
        self._tasks[task.token] = task
        self.submitted.add(task.token)
        self._waiting[task.token] = self._now

    def _end(self, token: AttemptToken) -> None:
        seconds = float(self._rng.lognormal())
        if self._rng.random() < 0.2:
            self.scheduler.give_back(token)
        else:
            worked = bool(self._rng.random() < 0.8)
            self.scheduler.ended(token, seconds=seconds, succeeded=worked, now=self._now)
        for worker in self._workers.values():
            worker.held.pop(token, None)

    def _join(self, name: str) -> None:
        offers = {"gpu": 1.0} if self._rng.random() < 0.5 else {}
        offers |= {"ssd": 1.0} if self._rng.random() < 0.5 else {}
        slots = int(self._rng.integers(1, 4))
        self._workers[name] = _Worker(slots, offers, open=True, held={})
        self.scheduler.fleet.put(name, name=name, slots=slots, capabilities=offers, held={})

    def _leave(self, name: str) -> None:
        lost = list(self._workers.pop(name).held)
        self.scheduler.fleet.remove(name)
        for token in lost:
            self._end(token)

    def _any_worker(self) -> str:
        return list(self._workers)[int(self._rng.integers(len(self._workers)))]

    # --- what is decided -------------------------------------------------------------------------

    def _decide(self) -> None:
        while (placement := self.scheduler.decide(self._now)) is not None:
            self._judge(placement)
            self.placements.append(placement)
            del self._waiting[placement.token]
            for name in placement.workers:
                worker = self._workers[name]
                worker.held[placement.token] = placement.task.needs.one_at_a_time
                if worker.overbooked(self.scheduler.policy.ahead) or not worker.open:
                    self.overbooked.append(placement)
        if self.scheduler.due() == math.inf:
            self.idle += [self._tasks[t] for t in self._waiting if self._free_for(self._tasks[t])]

    def _judge(self, placement: Placement) -> None:
        task = placement.task
        needs, avoid = task.needs.one_at_a_time, task.avoid
        if len(set(placement.workers)) != task.needs.workers:
            self.overbooked.append(placement)
        if task.needs.workers > 1 or not is_avoided(placement.worker, avoid):
            return
        others = {
            name: worker.fits(needs) and not self._is_kept(name, task)
            for name, worker in self._workers.items()
            if worker.open and not is_avoided(name, avoid) and worker.could(needs)
        }
        waited = self._now - self._waiting[placement.token]
        if any(others.values()) or (others and waited < _RULE.elsewhere_s):
            self.went_back.append(placement)

    def _free_for(self, task: WaitingTask) -> bool:
        needs = task.needs.one_at_a_time
        free = [
            name
            for name, worker in self._workers.items()
            if worker.fits(needs)
            and not is_avoided(name, task.avoid)
            and not self._is_kept(name, task)
        ]
        return len(free) >= task.needs.workers

    def _is_kept(self, name: str, task: WaitingTask) -> bool:
        """Whether a gang that waits for more workers has it to itself."""
        seat = self.scheduler.fleet.get(name)
        assert seat is not None
        return seat.kept_for not in (None, task.needs)

    def _finish(self) -> None:
        """Workers that can run anything come; all ends."""
        for name in list(self._workers):
            self._workers[name].open = True
            self.scheduler.fleet.open(name, True)
        for name in ("last", "least"):
            offers = {"gpu": 1.0, "ssd": 1.0}
            self._workers[name] = _Worker(2, offers, open=True, held={})
            self.scheduler.fleet.put(name, name=name, slots=2, capabilities=offers, held={})
        for _ in range(10 * len(self.submitted)):
            self._now += 1.0
            self._decide()
            running = [t for worker in self._workers.values() for t in worker.held]
            if running:
                self._end(running[int(self._rng.integers(len(running)))])
            elif not self._waiting:
                return


def play(policy: Policy, number: int) -> PolicyPlay:
    """The play of that number with a fresh policy, after its end."""
    played = PolicyPlay(policy, generator(0, number, "play"))
    played.run()
    return played
