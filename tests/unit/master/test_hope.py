"""When a run is given up: nothing worked, and nothing says that more of the same would."""

from __future__ import annotations

import pytest

from morphml.master.hope import HOPELESS, Hope

FAILURE = {
    "error_type": "ValueError",
    "message": "no such column",
    "kind": "user_error",
    "traceback": "Traceback ...",
    "digest": "one",
}


def fail(hope: Hope, trials: int) -> None:
    for _ in range(trials):
        hope.began()
        hope.failed_attempt(FAILURE, again=False)
        hope.failed_trial()


def test_run_without_a_success_is_given_up_after_ten_failed_trials() -> None:
    hope = Hope(worked=False)
    fail(hope, HOPELESS - 1)
    assert hope.lost is None
    fail(hope, 1)
    assert hope.lost == "the first 10 trials all failed: ValueError: no such column"


def test_one_success_is_hope_for_ever_even_when_it_comes_late() -> None:
    hope = Hope(worked=False)
    fail(hope, HOPELESS)
    hope.succeeded()
    assert hope.lost is None
    fail(hope, 100)
    assert hope.lost is None


def test_success_of_an_earlier_run_counts() -> None:
    hope = Hope(worked=True)
    fail(hope, 100)
    assert hope.lost is None


def test_run_in_which_no_evaluator_begins_is_given_up_with_the_first_dead_trial() -> None:
    hope = Hope(worked=False)
    hope.failed_attempt(FAILURE, again=False)
    hope.failed_attempt({**FAILURE, "message": "another"}, again=False)
    assert hope.waits
    assert hope.lost is None
    hope.failed_trial()
    assert hope.lost == ("no evaluator could begin, whatever was tried: ValueError: no such column")


def test_new_trials_wait_only_until_an_evaluator_begins() -> None:
    hope = Hope(worked=False)
    assert not hope.waits
    hope.failed_attempt(FAILURE, again=False)
    assert hope.waits
    hope.began()
    assert not hope.waits
    hope.failed_trial()
    assert hope.lost is None


def test_retries_are_in_vain_once_the_only_error_came_twice_at_one_task() -> None:
    hope = Hope(worked=False)
    hope.failed_attempt(FAILURE, again=False)
    hope.failed_attempt(FAILURE, again=False)
    assert not hope.in_vain
    hope.failed_attempt(FAILURE, again=True)
    assert hope.in_vain


@pytest.mark.parametrize(
    "other",
    [{**FAILURE, "digest": "another"}, {**FAILURE, "traceback": ""}],
    ids=["another error", "a child that died"],
)
def test_errors_that_differ_are_retried_in_full(other: dict[str, str]) -> None:
    hope = Hope(worked=False)
    hope.failed_attempt(other, again=False)
    hope.failed_attempt(FAILURE, again=True)
    hope.failed_attempt(FAILURE, again=True)
    assert not hope.in_vain


def test_retries_are_not_in_vain_where_something_worked_or_began() -> None:
    worked, begun = Hope(worked=True), Hope(worked=False)
    begun.began()
    for hope in (worked, begun):
        hope.failed_attempt(FAILURE, again=False)
        hope.failed_attempt(FAILURE, again=True)
        assert not hope.in_vain
