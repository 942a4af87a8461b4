"""One run: a scenario, a policy and a seed, from the first event to the last."""

from __future__ import annotations

from morphml.errors import SchedulingError
from morphml.scheduling.policies import create_policy
from morphml.scheduling.scheduler import Scheduler
from morphml.testing.simulator.calamities import Calamities
from morphml.testing.simulator.cluster import Cluster
from morphml.testing.simulator.desk import Desk
from morphml.testing.simulator.invariants import PATIENCE, Invariants
from morphml.testing.simulator.outcome import Outcome, outcome_of
from morphml.testing.simulator.scenario import Scenario
from morphml.testing.simulator.timeline import Timeline
from morphml.testing.simulator.work import draw_work

#: Events for each task after which a run is stuck: only calamities still happen.
_MOST_EVENTS_PER_TASK = 2_000


def simulate(scenario: Scenario, policy: str, seed: int, *, check: bool = False) -> Outcome:
    """What comes of a scenario under a policy; the same arguments give the same course.

    Args:
        scenario: workers, work and troubles.
        policy: its name, as in ``morphml.scheduling.policies``.
        seed: of all chance.
        check: whether the invariants are checked after every event; slow, for tests.

    Raises:
        SchedulingError: tasks are left that no event can bring on.
        CallerError: there is no such policy.

    Cost: about 0.1 ms for each attempt.
    """
    timeline = Timeline()
    work = draw_work(scenario, seed)
    cluster = Cluster(scenario, work, seed, timeline)
    scheduler = Scheduler(create_policy(policy))
    desk = Desk(scenario, work, scheduler, cluster, timeline, seed)
    cluster.listen(desk)
    Calamities(scenario, seed, timeline, cluster).begin()
    desk.begin()
    patience_s = PATIENCE * max(work.seconds) / min(kind.speed for kind in scenario.workers)
    invariants = Invariants(desk, cluster, patience_s) if check else None
    most = timeline.planned + _MOST_EVENTS_PER_TASK * scenario.tasks
    while not desk.is_done:
        if not timeline.happen() or timeline.planned > most:
            raise SchedulingError(
                f"scenario {scenario.name}, policy {policy}, seed {seed}: "
                f"{scenario.tasks - desk.records.ended} of {scenario.tasks} tasks never end"
            )
        if invariants is not None:
            invariants.check(timeline.monotonic())
    return outcome_of(scenario, policy, seed, work, cluster, desk)
