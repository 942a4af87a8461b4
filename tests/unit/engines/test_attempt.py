from __future__ import annotations

import math
import signal
from dataclasses import replace

import pytest

from morphml.engines import Assignment, Cancelled, Failed, Succeeded
from morphml.engines.local.attempt import Attempt, Doom, Patience, reason_of
from morphml.ids import ExperimentId, new_token
from morphml.scheduling.failures import FailureKind

PATIENCE = Patience(cancel_s=1.0, grace_s=2.0, setup_s=10.0)
ASSIGNMENT = Assignment(
    token=new_token(), experiment=ExperimentId("e"), number=0, vector=(), seed=0
)
DONE = Succeeded(metrics={"score": 1.0})


def begun(**limits: float) -> Attempt:
    """An attempt that was sent at 0 s and began at 5 s."""
    attempt = Attempt(assignment=replace(ASSIGNMENT, **limits), patience=PATIENCE, setup_until=10.0)
    attempt.begin(1_000.0, 5.0)
    return attempt


def test_attempt_without_limits_is_never_due() -> None:
    assert begun().due == math.inf
    assert begun().tick(1e9) is None


def test_time_limit_counts_from_the_beginning_of_user_code() -> None:
    attempt = begun(time_limit_s=3.0)
    assert attempt.due == 8.0
    assert attempt.tick(7.9) is None
    assert attempt.tick(8.0) is signal.SIGTERM
    assert attempt.tick(9.9) is None
    assert attempt.tick(10.0) is signal.SIGKILL
    assert attempt.due == math.inf
    outcome = attempt.outcome_of_death("killed")
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.message) == (
        FailureKind.TIME_LIMIT,
        "the evaluator ran longer than 3 s",
    )


def test_setup_has_a_limit_of_its_own() -> None:
    attempt = Attempt(assignment=ASSIGNMENT, patience=PATIENCE, setup_until=10.0)
    assert attempt.tick(10.0) is signal.SIGTERM
    outcome = attempt.outcome_of_death("exit code 1")
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.INFRASTRUCTURE


def test_cancelled_attempt_may_obey_before_it_is_interrupted() -> None:
    attempt = begun(time_limit_s=100.0)
    attempt.cancel(20.0)
    assert attempt.tick(20.9) is None
    assert attempt.tick(21.0) is signal.SIGTERM
    assert attempt.tick(23.0) is signal.SIGKILL
    assert attempt.outcome(DONE, "") == Cancelled()


def test_memory_is_answered_by_sigkill_at_once() -> None:
    attempt = begun(memory_limit_bytes=100 << 20)
    attempt.exceed_memory(250 << 20, 6.0)
    assert attempt.tick(6.0) is signal.SIGKILL
    outcome = attempt.outcome_of_death("SIGKILL")
    assert isinstance(outcome, Failed)
    assert outcome.message == "used 250 MiB, the limit is 100 MiB"


def test_first_doom_stays() -> None:
    attempt = begun(time_limit_s=1.0, memory_limit_bytes=1)
    assert attempt.tick(6.0) is signal.SIGTERM
    attempt.cancel(6.1)
    attempt.exceed_memory(5, 6.2)
    assert attempt.doom is Doom.TIME_LIMIT


def test_result_that_came_just_in_time_counts() -> None:
    attempt = begun(time_limit_s=1.0)
    assert attempt.tick(6.0) is signal.SIGTERM
    assert attempt.outcome(DONE, "") == DONE
    late = attempt.outcome(Cancelled(), "File x, line 3")
    assert isinstance(late, Failed)
    assert "File x, line 3" in late.traceback


@pytest.mark.parametrize(
    ("has_begun", "kind"), [(True, FailureKind.CRASH), (False, FailureKind.INFRASTRUCTURE)]
)
def test_death_before_user_code_is_not_the_users(has_begun: bool, kind: FailureKind) -> None:
    attempt = begun()
    attempt.begun = 5.0 if has_begun else None
    outcome = attempt.outcome_of_death("exit code 3")
    assert isinstance(outcome, Failed)
    assert outcome.kind is kind
    assert "exit code 3" in outcome.message


@pytest.mark.parametrize(
    ("status", "text"),
    [(0, "exit code 0"), (7, "exit code 7"), (-11, "killed by SIGSEGV"), (-250, "signal 250")],
)
def test_reason_names_the_signal(status: int, text: str) -> None:
    assert text in reason_of(status)
