"""Which worker gets an attempt: requirements, workers to avoid, shares of experiments."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import (
    E1,
    E2,
    PATIENT,
    Site,
    attempt,
    eventually,
    site,
)

# --- requirements --------------------------------------------------------------------------------


def test_requirements_choose_the_worker_and_are_used_up(place: Site) -> None:
    plain, gpu = (
        place.worker("plain", slots=8),
        place.worker("gpu", slots=8, capabilities={"gpu": 1}),
    )
    driver = place.driver()
    for number in range(3):
        driver.lane.submit(attempt(number=number, requirements={"gpu": 0.5}))
    gpu.await_tasks(2)
    driver.lane.submit(attempt(number=3))
    plain.await_tasks(1)
    assert (len(gpu.tasks()), len(plain.tasks())) == (2, 1)
    (waiting,) = place.hub.waiting()
    assert (waiting.count, waiting.feasible, waiting.requirements) == (1, True, {"gpu": 0.5})
    gpu.finish(gpu.tasks()[0])
    gpu.await_tasks(3)
    assert place.hub.waiting() == []


def test_request_that_no_worker_can_meet_is_shown_and_holds_nobody_up(place: Site) -> None:
    worker, driver = place.worker(capabilities={"gpu": 1}), place.driver()
    driver.lane.submit(attempt(requirements={"gpu": 4}))
    driver.lane.submit(attempt(number=1, requirements={"gpu": 1}))
    worker.await_tasks(1)
    (waiting,) = place.hub.waiting()
    assert (waiting.experiment, waiting.feasible) == (E1, False)
    place.worker("big", capabilities={"gpu": 8}).await_tasks(1)
    assert place.hub.waiting() == []


def test_request_that_no_worker_can_meet_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with site(tmp_path, replace(PATIENT, infeasible_after_s=0.1)) as place:
        worker, driver = place.worker(), place.driver()
        driver.lane.submit(attempt(requirements={"gpu": 4}))
        worker.beat()
        eventually(lambda: "gpu 4" in caplog.text)
        time.sleep(0.4)  # many looks at what is overdue
        assert caplog.text.count("wait for a worker with gpu 4") == 1


def test_retry_avoids_the_worker_that_failed_it_as_long_as_another_is_free_soon(
    tmp_path: Path,
) -> None:
    with site(tmp_path, replace(PATIENT, elsewhere_s=0.3)) as place:
        avoid_the_bad_one(place)


def avoid_the_bad_one(place: Site) -> None:
    driver = place.driver()
    bad = place.worker("bad", slots=1)
    driver.lane.submit(attempt(avoid=("box-bad/slot-0",)))
    bad.await_tasks(1)  # the only one there is
    bad.finish(bad.tasks()[0])
    driver.await_ends(1)
    good = place.worker("good", slots=1)
    driver.lane.submit(attempt(number=1, avoid=("box-bad/slot-0",)))
    good.await_tasks(1)
    good.accept(good.tokens()[0])
    began = time.monotonic()
    driver.lane.submit(attempt(number=2, avoid=("box-bad/slot-0",)))
    bad.await_tasks(2)  # the good one was busy for too long
    assert time.monotonic() - began >= 0.25


# --- several experiments -------------------------------------------------------------------------


def test_lanes_get_slots_by_their_shares(place: Site) -> None:
    worker = place.worker(slots=1)
    heavy, light = place.driver(E1, lambda: 3), place.driver(E2, lambda: 1)
    assert (heavy.lane.slots, light.lane.slots) == (3, 1)
    driver = {E1: heavy, E2: light}
    for number in range(12):
        heavy.lane.submit(attempt(E1, number))
        light.lane.submit(attempt(E2, number))
    for count in range(1, 9):
        worker.finish(worker.await_tasks(count)[-1])
    owners = [task.attempt.owner for task in worker.tasks()]
    assert set(owners[:8]) == {E1, E2}
    assert all(driver[experiment].await_ends(1) for experiment in (E1, E2))


def test_slots_grow_and_shrink_with_the_workers(place: Site) -> None:
    driver = place.driver()
    assert driver.lane.slots == 0
    driver.lane.submit(attempt())
    first = place.worker("a", slots=2)
    first.await_tasks(1)
    assert driver.lane.slots == 2
    place.worker("b", slots=3)
    assert driver.lane.slots == 5
    first.hang_up()
    eventually(lambda: driver.lane.slots == 3)


def test_attempt_goes_where_its_data_is_while_that_worker_is_free(place: Site) -> None:
    workers = [place.worker(name, slots=2) for name in ("a", "b", "c")]
    driver = place.driver()
    driver.lane.submit(attempt(affinity=("trial:e1/0",)))
    eventually(lambda: sum(len(each.tasks()) for each in workers) == 1)
    (holder,) = [each for each in workers if each.tasks()]
    others = [each for each in workers if each is not holder]
    for number in (1, 2):
        driver.lane.submit(attempt(number=number))
    eventually(lambda: [len(each.tasks()) for each in others] == [1, 1])
    driver.lane.submit(attempt(number=0, segment=1, affinity=("trial:e1/0",)))
    holder.await_tasks(2)
    driver.lane.submit(attempt(number=0, segment=2, affinity=("trial:e1/0",)))
    eventually(lambda: sum(len(each.tasks()) for each in others) == 3)
    assert len(holder.tasks()) == 2, "nobody waits for it"
