from __future__ import annotations

from dataclasses import replace

import pytest

from morphml.scheduling import (
    ANSWERS,
    ErrorSightings,
    Failure,
    FailureKind,
    GiveUp,
    Retry,
    RetryRule,
    decide_retry,
)

K = FailureKind
RULE = RetryRule()


def failed(
    kind: FailureKind, worker: str = "w0", digest: str = "d", *, alone: bool = False
) -> Failure:
    return Failure(kind=kind, worker=worker, at=0.0, digest=digest, alone=alone)


@pytest.mark.parametrize(
    "failure", [failed(K.INFRASTRUCTURE), failed(K.LOST_WORKER, alone=True)], ids=["setup", "alone"]
)
def test_infrastructure_is_retried_at_once_then_later_then_dead(failure: Failure) -> None:
    decisions = [decide_retry([failure] * n, RULE, seed=1) for n in range(1, 5)]
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


def test_two_slots_of_one_worker_are_one_witness() -> None:
    sightings = ErrorSightings()
    assert [sightings.add(failed(K.USER_ERROR, f"w0/slot-{n}")) for n in range(3)] == [1, 1, 1]
    assert sightings.add(failed(K.USER_ERROR, "w1/slot-0")) == 2


def test_slots_that_share_a_gpu_are_one_witness_and_those_with_their_own_are_not() -> None:
    def on(worker: str, gpus: str) -> Failure:
        return replace(failed(K.USER_ERROR, worker), gpus=gpus)

    sightings = ErrorSightings()
    assert [sightings.add(on(worker, "2")) for worker in ("local-0", "local-2")] == [1, 1]
    assert sightings.add(on("local-1", "3")) == 2
    machine = ErrorSightings()
    assert [machine.add(on(f"box/slot-{n}", str(n))) for n in range(3)] == [1, 1, 1]


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


def test_retry_after_infrastructure_goes_to_another_worker() -> None:
    history = [failed(K.INFRASTRUCTURE, "w3"), failed(K.LOST_WORKER, "w1")]
    assert decide_retry(history[:1], RULE, seed=1) == Retry(delay_s=0.0, avoid=("w3",))
    assert decide_retry(history, RULE, seed=1) == Retry(delay_s=0.0, avoid=("w3",))


@pytest.mark.parametrize("kind", [K.LOST_WORKER, K.PREEMPTED])
def test_innocent_task_keeps_its_other_retries_and_is_tried_nine_times(kind: FailureKind) -> None:
    innocent = [failed(kind)] * 8
    decisions = [decide_retry(innocent[:n], RULE, seed=1) for n in range(1, 9)]
    assert all(isinstance(each, Retry) for each in decisions)
    for other in (K.INFRASTRUCTURE, K.USER_ERROR):
        first = decide_retry([*innocent, failed(other)], RULE, seed=1)
        assert first == Retry(delay_s=0.0, avoid=("w0",))
    assert decide_retry([*innocent, failed(kind)], RULE, seed=1) == GiveUp(state="dead")


@pytest.mark.parametrize(
    ("failure", "counts"),
    [
        (failed(K.CRASH), True),
        (failed(K.OUT_OF_MEMORY), True),
        (failed(K.LOST_WORKER, alone=True), True),
        (failed(K.LOST_WORKER), False),
        (failed(K.PREEMPTED, alone=True), False),
        (failed(K.INFRASTRUCTURE), False),
        (failed(K.USER_ERROR), False),
        (failed(K.TIME_LIMIT), False),
    ],
)
def test_quarantine_counts_only_deaths_that_the_attempt_may_have_caused(
    failure: Failure, counts: bool
) -> None:
    assert failure.counts_for_quarantine is counts


def test_four_deaths_of_children_and_workers_together_are_the_end_of_a_task() -> None:
    deaths = [failed(K.CRASH), *[failed(K.LOST_WORKER, alone=True)] * 3]
    assert isinstance(decide_retry(deaths[:3], RULE, seed=1), Retry)
    assert decide_retry(deaths, RULE, seed=1) == GiveUp(state="dead")


def test_every_kind_has_an_answer() -> None:
    assert set(ANSWERS) == set(FailureKind)
