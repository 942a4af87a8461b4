"""How many slots of a Ray cluster a hub has use for, and which workers it lets go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.integration.engines.remote.scripted import PATIENT, Site, attempt, eventually, site

from morphml.engines.ray.steward import Look, Steward

ON_RAY = {"cpu": 2.0, "ray": 1.0}


@dataclass
class Hand:
    """A clock that is set by hand."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


def steward_of(place: Site, clock: Hand) -> Steward:
    return Steward(place.hub, lambda: float(place.hub.fitting.demand()), 30.0, clock)


def test_slots_are_wanted_for_what_waits_runs_and_is_to_come(tmp_path: Path) -> None:
    with site(tmp_path, PATIENT) as place:
        worker, driver, steward = place.worker(slots=2), place.driver(), steward_of(place, Hand())
        assert steward.look((), thrifty=False) == Look(wanted=0.0, spare=[])
        driver.lane.submit(*[attempt(number=n) for n in range(3)])
        driver.lane.expect(5)
        worker.await_tasks(2)
        assert steward.look((), thrifty=False).wanted == 8.0
        place.worker("w2", slots=3, capabilities=ON_RAY)  # a dead master's: nobody looks after it
        assert steward.look((), thrifty=False).wanted == 5.0
        assert steward.look(("box-w2",), thrifty=False).wanted == 8.0


def test_idle_worker_leaves_where_nodes_go_by_demand_and_no_other_does(
    tmp_path: Path,
) -> None:
    with site(tmp_path, PATIENT) as place:
        place.worker("plain", slots=2)
        idle = place.worker("idle", slots=2, capabilities=ON_RAY)
        clock = Hand()
        steward = steward_of(place, clock)
        own = ("box-idle",)
        for seconds, thrifty, spare in ((0, True, []), (31, False, []), (31, True, ["box-idle"])):
            clock.seconds = float(seconds)
            assert steward.look(own, thrifty=thrifty).spare == spare
        eventually(lambda: idle.of("drain"))
