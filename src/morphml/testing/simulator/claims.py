"""What of the store's tasks the simulated master has claimed, and for whom it claims."""

from __future__ import annotations

import math

from morphml.ids import AttemptToken
from morphml.scheduling.fair_share import Demand, fair_shares
from morphml.scheduling.policies import Request
from morphml.scheduling.resources import Requirements
from morphml.scheduling.scheduler import Scheduler
from morphml.scheduling.waiting import WaitingTask
from morphml.testing.simulator.cluster import Cluster, Flight
from morphml.testing.simulator.queue import Queue
from morphml.testing.simulator.scenario import Scenario
from morphml.testing.simulator.stopwatch import Stopwatch
from morphml.testing.simulator.work import Work


class Claims:
    """Claims ready tasks and hands them to the scheduler.

    For each experiment as many are claimed and not placed as there are free slots, and a share of
    all slots more, as its driver asks ahead.

    Args:
        scenario: says how far ahead.
        work: the tasks.
        scheduler: gets what is claimed.
        cluster: numbers the attempts.
        watch: times the scheduler.
    """

    def __init__(
        self,
        scenario: Scenario,
        work: Work,
        scheduler: Scheduler,
        cluster: Cluster,
        watch: Stopwatch,
    ) -> None:
        self._work = work
        self._scheduler = scheduler
        self._cluster = cluster
        self._watch = watch
        self._ahead = max(1, math.ceil(scenario.ahead * scenario.slots))
        self._queue = Queue(len(work.loads))
        self._needs = [Requirements.parse(load.requirements) for load in work.loads]
        #: By task: its place in the order of claims, from when it became ready.
        self._ranks = [0.0] * len(work.seconds)
        #: Workers that a task should not run on again.
        self._avoid: dict[int, tuple[str, ...]] = {}
        #: Tasks claimed and not placed, with the attempt that each will be.
        self.claimed: dict[int, Flight] = {}
        #: How many of each experiment those are.
        self._claimed_of = [0] * len(work.loads)
        #: Experiments that are still to be submitted.
        self._to_come = len(work.loads)

    @property
    def is_dry(self) -> bool:
        """Whether nothing waits, and nothing more will be submitted."""
        return not (self.claimed or self._queue or self._to_come)

    def needs(self, task: int) -> Requirements:
        """What a task needs of each of its workers."""
        return self._needs[self._work.load_of[task]].one_at_a_time

    def submit(self, experiment: int, now: float) -> list[int]:
        """All tasks of an experiment are ready; which they are.

        Args:
            experiment: its number.
            now: seconds of the wall clock, which the rank is made of.
        """
        request = Request(
            experiment=self._work.experiments[experiment],
            first_ready_at=now,
            priority=self._work.loads[experiment].priority,
        )
        rank = self._watch(self._scheduler.policy.rank, request)
        tasks = [task for task, of in enumerate(self._work.load_of) if of == experiment]
        for task in tasks:
            self._ranks[task] = rank
            self._queue.put(task, rank, experiment)
        self._to_come -= 1
        self._share()
        return tasks

    def avoid(self, task: int, workers: tuple[str, ...]) -> None:
        """The task should not run on these workers again."""
        self._avoid[task] = workers

    def put_back(self, task: int) -> None:
        """The task may be claimed again."""
        self._queue.put(task, self._ranks[task], self._work.load_of[task])

    def withdraw(self, task: int) -> None:
        """Nobody is to run the task: its worker came back with it."""
        self._queue.take_out(task)
        flight = self.claimed.pop(task, None)
        if flight is not None:
            self._claimed_of[self._work.load_of[task]] -= 1
            self._watch(self._scheduler.withdraw, token_of(flight))

    def placed(self, task: int) -> None:
        """The task has a worker."""
        del self.claimed[task]
        self._claimed_of[self._work.load_of[task]] -= 1

    def claim(self) -> None:
        """Claim for the free slots, and a little ahead."""
        most = self._scheduler.fleet.free() + self._ahead
        for experiment, claimed in enumerate(self._claimed_of):
            if claimed >= most or not self._queue.left(experiment):
                continue
            while claimed < most and (found := self._queue.claim(experiment)) is not None:
                claimed += 1
                flight = self._cluster.new_flight(found[1])
                self.claimed[flight.task] = flight
                self._watch(self._scheduler.submit, self.waiting(flight))
            self._claimed_of[experiment] = claimed
            left = self._queue.left(experiment)
            self._watch(self._scheduler.expect, self._work.experiments[experiment], left)
            if not left:
                self._share()

    def waiting(self, flight: Flight) -> WaitingTask:
        """An attempt's task as the scheduler is to see it."""
        task = flight.task
        experiment = self._work.load_of[task]
        data = self._work.data[task]
        return WaitingTask(
            token=token_of(flight),
            experiment=self._work.experiments[experiment],
            rank=self._ranks[task],
            needs=self._needs[experiment],
            avoid=self._avoid.get(task, ()),
            affinity=() if data is None else (data,),
            cost=self._work.costs[task],
        )

    def _share(self) -> None:
        """Tell which part of the slots is whose, by the experiments' priorities."""
        demands = {}
        for number, name in enumerate(self._work.experiments):
            wanted = self._queue.left(number) + self._claimed_of[number]
            weight = float(self._work.loads[number].priority)
            demands[name] = Demand(weight=weight, wanted=wanted)
        for name, slots in fair_shares(self._scheduler.fleet.slots(), demands).items():
            self._scheduler.share(name, slots)


def token_of(flight: Flight) -> AttemptToken:
    """The attempt's name at the master."""
    return AttemptToken(str(flight.number))


def number_of(token: AttemptToken) -> int:
    """The attempt's number on the cluster."""
    return int(token)
