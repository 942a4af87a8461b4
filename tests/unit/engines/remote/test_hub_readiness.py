"""How long first tasks wait for workers that load an experiment."""

from __future__ import annotations

from morphml.engines.remote.hub.readiness import Readiness

FOUR = ("a", "b", "c", "d")


def test_wait_ends_with_the_last_worker() -> None:
    wait = Readiness(FOUR, 5.0, now=100.0)
    for worker in FOUR:
        assert not wait.over(100.2)
        wait.ready(worker, 100.2)
    assert wait.over(100.2)
    assert wait.story(100.2) == "4 of 4 workers are ready for it after 0.20 s"


def test_others_get_three_times_as_long_as_the_faster_half_took() -> None:
    wait = Readiness(FOUR, 5.0, now=100.0)
    for worker, at in (("a", 100.5), ("b", 100.8), ("c", 101.5)):
        wait.ready(worker, at)
    assert not wait.over(102.39)
    assert wait.over(102.41)


def test_fast_workers_grant_the_others_a_second() -> None:
    wait = Readiness(FOUR, 5.0, now=100.0)
    for worker in "abc":
        wait.ready(worker, 100.01)
    assert not wait.over(100.99)
    assert wait.over(101.01)


def test_wait_for_workers_of_which_none_gets_ready_is_bounded() -> None:
    wait = Readiness(FOUR, 5.0, now=100.0)
    wait.ready("a", 100.1)
    wait.ready("a", 100.2)
    wait.ready("stranger", 100.2)
    assert not wait.over(104.99)
    assert wait.over(105.0)


def test_nobody_waits_for_workers_that_went_away() -> None:
    wait = Readiness(FOUR, 5.0, now=100.0)
    wait.ready("a", 100.1)
    wait.keep(lambda worker: worker == "b")
    assert not wait.over(100.2)
    wait.keep(lambda worker: False)
    assert wait.over(100.2)
