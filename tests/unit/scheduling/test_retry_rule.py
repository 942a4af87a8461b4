from __future__ import annotations

import pytest

from morphml.scheduling import (
    ErrorSightings,
    Failure,
    FailureKind,
    GiveUp,
    Retry,
    RetryRule,
    counts_for_quarantine,
    decide_retry,
)

K = FailureKind
RULE = RetryRule()


def failed(kind: FailureKind, worker: str = "w0", digest: str = "d") -> Failure:
    return Failure(kind=kind, worker=worker, at=0.0, digest=digest)


@pytest.mark.parametrize("kind", [K.INFRASTRUCTURE, K.LOST_WORKER, K.PREEMPTED])
def test_infrastructure_is_retried_at_once_then_later_then_dead(kind: FailureKind) -> None:
    decisions = [decide_retry([failed(kind)] * n, RULE, seed=1) for n in range(1, 5)]
    delays = [d.delay_s for d in decisions if isinstance(d, Retry)]
    assert delays[0] == 0.0
    assert 5.0 <= delays[1] <= 5.5
    assert 10.0 <= delays[2] <= 11.0
    assert decisions[3] == GiveUp(state="dead")


def test_infrastructure_delay_is_capped_when_more_retries_are_allowed() -> None:
    rule = RetryRule(infrastructure_retries=9, jitter=0.0)
    history = [failed(K.INFRASTRUCTURE)] * 9
    delays = [decide_retry(history[:n], rule, seed=1) for n in range(1, 10)]
    assert [d.delay_s for d in delays if isinstance(d, Retry)] == [0, 5, 10, 20, 20, 20, 20, 20, 20]


def test_jitter_comes_from_the_seed_alone() -> None:
    history = [failed(K.INFRASTRUCTURE)] * 2
    assert decide_retry(history, RULE, seed=1) == decide_retry(history, RULE, seed=1)
    assert decide_retry(history, RULE, seed=1) != decide_retry(history, RULE, seed=2)


def test_first_user_error_is_retried_on_another_worker_and_the_second_fails() -> None:
    first = decide_retry([failed(K.USER_ERROR, "w0")], RULE, seed=1, seen_on=1)
    assert first == Retry(delay_s=0.0, avoid=("w0",))
    again = [failed(K.USER_ERROR, "w0"), failed(K.USER_ERROR, "w1")]
    assert decide_retry(again, RULE, seed=1, seen_on=1) == GiveUp(state="failed")


def test_user_error_seen_on_two_workers_is_not_retried() -> None:
    sightings = ErrorSightings()
    assert sightings.add(failed(K.USER_ERROR, "w0")) == 1
    assert sightings.add(failed(K.USER_ERROR, "w0")) == 1
    seen_on = sightings.add(failed(K.USER_ERROR, "w1"))
    assert seen_on == 2
    decision = decide_retry([failed(K.USER_ERROR, "w1")], RULE, seed=1, seen_on=seen_on)
    assert decision == GiveUp(state="failed")


def test_error_without_a_digest_is_never_widespread() -> None:
    sightings = ErrorSightings()
    assert [sightings.add(failed(K.USER_ERROR, w, digest="")) for w in "abc"] == [0, 0, 0]


def test_user_error_is_not_retried_where_there_is_no_other_worker() -> None:
    history = [failed(K.USER_ERROR)]
    assert decide_retry(history, RULE, seed=1, elsewhere=False) == GiveUp(state="failed")


@pytest.mark.parametrize("kind", [K.CRASH, K.OUT_OF_MEMORY])
def test_crash_and_memory_are_retried_once_even_when_widespread(kind: FailureKind) -> None:
    assert isinstance(decide_retry([failed(kind)], RULE, seed=1, seen_on=2), Retry)
    assert decide_retry([failed(kind)] * 2, RULE, seed=1) == GiveUp(state="failed")


def test_time_limit_is_never_retried() -> None:
    assert decide_retry([failed(K.TIME_LIMIT)], RULE, seed=1) == GiveUp(state="failed")


def test_the_two_budgets_are_counted_apart() -> None:
    mixed = [failed(K.LOST_WORKER), failed(K.PREEMPTED), failed(K.INFRASTRUCTURE, "w3")]
    assert isinstance(decide_retry([*mixed, failed(K.USER_ERROR, "w1")], RULE, seed=1), Retry)
    after_user = [failed(K.USER_ERROR, "w1"), failed(K.LOST_WORKER, "w2")]
    assert decide_retry(after_user, RULE, seed=1) == Retry(delay_s=0.0, avoid=("w1",))


@pytest.mark.parametrize(
    ("kind", "own", "alone", "counts"),
    [
        (K.CRASH, True, False, True),
        (K.CRASH, False, False, False),
        (K.OUT_OF_MEMORY, False, True, True),
        (K.INFRASTRUCTURE, False, True, True),
        (K.USER_ERROR, True, True, True),
        (K.TIME_LIMIT, True, True, False),
        (K.PREEMPTED, True, True, False),
        (K.LOST_WORKER, True, True, False),
    ],
)
def test_quarantine_counts_only_what_speaks_against_the_worker(
    kind: FailureKind, own: bool, alone: bool, counts: bool
) -> None:
    assert counts_for_quarantine(kind, own_child_died=own, ran_alone=alone) is counts
