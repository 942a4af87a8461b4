"""Which waiting attempt a free child gets."""

from __future__ import annotations

from morphml.engines.local.queue import AttemptQueue
from morphml.engines.port import Assignment
from morphml.ids import AttemptToken, ExperimentId

HERE, OTHER = ExperimentId("here"), ExperimentId("other")


def attempt(name: str, *avoid: str) -> Assignment:
    return Assignment(
        token=AttemptToken(name), experiment=HERE, number=0, vector=(), seed=0, avoid=avoid
    )


def queue(*assignments: Assignment) -> AttemptQueue:
    made = AttemptQueue(["w0", "w1", "w2"], 2.0)
    for assignment in assignments:
        made.add(assignment)
    return made


def test_slot_that_is_free_longest_gets_the_first_attempt() -> None:
    first, second = attempt("a"), attempt("b")
    waiting = queue(first, second)
    assert waiting.take({2: (), 0: ()}, 0.0) == (first, 2)
    assert waiting.take({0: ()}, 0.0) == (second, 0)
    assert len(waiting) == 0


def test_retry_lets_another_go_first_rather_than_meet_the_same_worker() -> None:
    retry, other = attempt("retry", "w0"), attempt("other")
    waiting = queue(retry, other)
    assert waiting.take({0: ()}, 10.0) == (other, 0)
    assert waiting.take({0: ()}, 10.5) is None
    assert waiting.due == 12.0
    assert waiting.take({0: (), 1: ()}, 11.0) == (retry, 1)
    assert waiting.due == float("inf")


def test_retry_takes_the_same_worker_when_it_has_waited() -> None:
    retry = attempt("retry", "w0")
    waiting = queue(retry)
    assert waiting.take({0: ()}, 10.0) is None
    assert waiting.take({0: ()}, 11.9) is None
    assert waiting.take({0: ()}, 12.0) == (retry, 0)


def test_retry_that_failed_everywhere_waits_for_nobody() -> None:
    retry = attempt("retry", "w0", "w1", "w2")
    assert queue(retry).take({1: ()}, 10.0) == (retry, 1)


def test_child_that_loads_another_experiment_is_the_last_choice() -> None:
    first = attempt("a")
    assert queue(first).take({0: (OTHER,), 1: (HERE,), 2: ()}, 0.0) == (first, 2)
    assert queue(first).take({0: (OTHER,), 1: (HERE,)}, 0.0) == (first, 1)
    assert queue(first).take({0: (OTHER,)}, 0.0) == (first, 0)


def test_removed_attempt_is_waited_for_no_more() -> None:
    retry = attempt("retry", "w0")
    waiting = queue(retry)
    assert waiting.take({0: ()}, 10.0) is None
    found = waiting.find(retry.token)
    assert found is retry
    waiting.remove(found)
    assert waiting.due == float("inf")
    assert waiting.find(retry.token) is None


def test_attempt_that_the_machine_has_no_room_for_lets_others_go_first() -> None:
    large, small = attempt("large"), attempt("small")
    waiting = queue(large, small)
    assert waiting.take({0: (), 1: ()}, 0.0, has_room=lambda each: each is small) == (small, 0)
    assert waiting.take({1: ()}, 0.0, has_room=lambda _: False) is None
    assert len(waiting) == 1
    assert waiting.take({1: ()}, 0.0) == (large, 1)


def test_slot_that_is_not_for_an_attempt_is_left_to_others() -> None:
    mine, other = attempt("mine"), attempt("other")
    waiting = queue(mine, other)
    assert waiting.take({0: ()}, 0.0, keeps_off=lambda each, _: each is mine) == (other, 0)
    assert waiting.take({0: ()}, 0.0, keeps_off=lambda *_: True) is None
    assert waiting.take({0: (), 1: ()}, 0.0, keeps_off=lambda _, slot: slot == 0) == (mine, 1)


def test_retry_without_room_wakes_nobody() -> None:
    """Otherwise an engine would look again and again at what cannot run yet."""
    waiting = queue(attempt("retry", "w0"))
    assert waiting.take({0: ()}, 10.0) is None
    assert waiting.due == 12.0
    assert waiting.take({0: (), 1: ()}, 11.0, has_room=lambda _: False) is None
    assert waiting.due == float("inf")
