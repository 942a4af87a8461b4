"""When a run is given up or paused: nothing works, and nothing says that more would."""

from __future__ import annotations

from dataclasses import replace

import pytest

from morphml.scheduling import FailureKind
from morphml.scheduling.faults.experiment import (
    HOPELESS,
    AttemptBroke,
    EvaluatorBegan,
    ExperimentBreaker,
    ExperimentFaultEvent,
    StopExperiment,
    TrialBroke,
    TrialWorked,
)

BROKE = AttemptBroke(
    kind=FailureKind.USER_ERROR,
    digest="one",
    error="ValueError: no such column",
    raised=True,
    again=False,
)


def feed(breaker: ExperimentBreaker, *events: ExperimentFaultEvent) -> None:
    for event in events:
        breaker.step(event)


def fail(breaker: ExperimentBreaker, trials: int, broke: AttemptBroke = BROKE) -> None:
    for _ in range(trials):
        feed(breaker, EvaluatorBegan(), broke, TrialBroke())


def test_run_without_a_success_is_given_up_after_ten_failed_trials() -> None:
    breaker = ExperimentBreaker()
    fail(breaker, HOPELESS - 1)
    assert breaker.verdict is None
    fail(breaker, 1)
    reason = "the first 10 trials all failed: ValueError: no such column"
    assert breaker.verdict == StopExperiment(state="failed", reason=reason)


def test_success_that_comes_late_takes_the_verdict_back() -> None:
    breaker = ExperimentBreaker()
    fail(breaker, HOPELESS)
    feed(breaker, TrialWorked())
    assert breaker.verdict is None


def test_row_of_equal_failures_after_successes_pauses_the_run_with_that_error() -> None:
    breaker = ExperimentBreaker(worked=490, failed=3)
    feed(breaker, *[TrialWorked()] * 10)
    fail(breaker, 1, replace(BROKE, digest="another", error="KeyError: 7"))
    fail(breaker, HOPELESS - 1)
    assert breaker.verdict is None
    fail(breaker, 1)
    assert breaker.verdict == StopExperiment(
        state="paused",
        reason="the last 10 trials all failed alike, after 500 that did not: "
        "ValueError: no such column; mend it, then resume",
    )


def test_space_in_which_half_of_all_trials_fail_needs_a_longer_row() -> None:
    breaker = ExperimentBreaker(worked=100, failed=100)
    fail(breaker, 19)
    assert breaker.verdict is None
    fail(breaker, 1)
    assert breaker.verdict is not None


@pytest.mark.parametrize(
    "kind", [FailureKind.OUT_OF_MEMORY, FailureKind.TIME_LIMIT, FailureKind.CRASH]
)
def test_row_of_architectures_that_are_too_large_or_slow_pauses_nothing(kind: FailureKind) -> None:
    breaker = ExperimentBreaker(worked=100)
    fail(breaker, 100, replace(BROKE, kind=kind))
    assert breaker.verdict is None


def test_row_of_different_errors_pauses_nothing() -> None:
    breaker = ExperimentBreaker(worked=100)
    for number in range(100):
        fail(breaker, 1, replace(BROKE, digest=str(number % 9)))
    assert breaker.verdict is None


def test_run_in_which_no_evaluator_begins_is_given_up_with_the_first_dead_trial() -> None:
    breaker = ExperimentBreaker()
    feed(breaker, BROKE, replace(BROKE, error="another"))
    assert breaker.waits(1)
    assert breaker.verdict is None
    feed(breaker, TrialBroke())
    reason = "no evaluator could begin, whatever was tried: ValueError: no such column"
    assert breaker.verdict == StopExperiment(state="failed", reason=reason)


def test_new_trials_wait_only_until_an_evaluator_begins() -> None:
    breaker = ExperimentBreaker()
    assert not breaker.waits(1)
    feed(breaker, BROKE)
    assert breaker.waits(1)
    feed(breaker, EvaluatorBegan())
    assert not breaker.waits(1)
    feed(breaker, TrialBroke())
    assert breaker.verdict is None


def test_run_that_had_results_and_in_which_nothing_begins_is_paused_with_the_first_trial() -> None:
    breaker = ExperimentBreaker(worked=40)
    feed(breaker, BROKE, replace(BROKE, again=True))
    assert breaker.waits(1)
    assert breaker.in_vain
    feed(breaker, TrialBroke())
    assert breaker.verdict == StopExperiment(
        state="paused",
        reason="no evaluator could begin, whatever was tried: ValueError: no such column; "
        "mend it, then resume",
    )


def test_retries_are_in_vain_once_the_only_error_came_twice_at_one_task() -> None:
    breaker = ExperimentBreaker()
    feed(breaker, BROKE, BROKE)
    assert not breaker.in_vain
    feed(breaker, replace(BROKE, again=True))
    assert breaker.in_vain


@pytest.mark.parametrize(
    "other",
    [replace(BROKE, digest="another"), replace(BROKE, raised=False)],
    ids=["another error", "a child that died"],
)
def test_errors_that_differ_are_retried_in_full(other: AttemptBroke) -> None:
    breaker = ExperimentBreaker()
    feed(breaker, other, replace(BROKE, again=True), replace(BROKE, again=True))
    assert not breaker.in_vain


def test_retries_are_not_in_vain_where_something_worked_or_began() -> None:
    worked, begun = ExperimentBreaker(), ExperimentBreaker()
    feed(worked, TrialWorked())
    feed(begun, EvaluatorBegan())
    for breaker in (worked, begun):
        feed(breaker, BROKE, replace(BROKE, again=True))
        assert not breaker.in_vain


def test_new_trials_wait_for_retries_where_ten_attempts_raised_the_same() -> None:
    breaker = ExperimentBreaker()
    feed(breaker, EvaluatorBegan(), *[BROKE] * (HOPELESS - 1))
    assert not breaker.waits(1)
    feed(breaker, BROKE)
    assert breaker.waits(1)
    feed(breaker, TrialWorked())
    assert not breaker.waits(1)


def test_new_trials_do_not_wait_where_errors_differ_or_something_worked_before() -> None:
    mixed, resumed = ExperimentBreaker(), ExperimentBreaker(worked=1)
    feed(mixed, EvaluatorBegan(), replace(BROKE, digest="another"), *[BROKE] * HOPELESS)
    feed(resumed, EvaluatorBegan(), *[BROKE] * HOPELESS)
    assert not mixed.waits(1)
    assert not resumed.waits(1)


def test_new_trials_do_not_wait_where_no_trial_is_left_that_could_say_more() -> None:
    retried, unbegun = ExperimentBreaker(), ExperimentBreaker()
    feed(retried, EvaluatorBegan(), *[BROKE] * HOPELESS, *[TrialBroke()] * (HOPELESS - 1))
    feed(unbegun, BROKE)
    for breaker in (retried, unbegun):
        assert breaker.verdict is None
        assert breaker.waits(1)
        assert not breaker.waits(0)
