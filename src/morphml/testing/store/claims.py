"""Checks of claims: order, classes, tokens, threads."""

from __future__ import annotations

import threading

from morphml.errors import StorageError
from morphml.ids import AttemptToken, TaskId
from morphml.scheduling.resources import Capacity
from morphml.testing.store.case import Check, StoreCase, refused
from morphml.testing.store.script import Ask, DriverScript, encode_vector, sample_spec


def claims_go_by_rank_then_by_id(case: StoreCase) -> None:
    """Smaller ranks first; equal ranks in the order of their ids."""
    script = case.script()
    wanted = []
    for rank in (5.0, -2.0, 5.0, 1.0, -2.0):
        handed = script.ask(1, Ask(leased=False, rank=rank))[0]
        wanted.append((rank, handed.task))
    claimed = [task.id for task in case.store.claim(case.experiment, case.session, 3)]
    claimed += [task.id for task in case.store.claim(case.experiment, case.session, 3)]
    assert claimed == [task for _, task in sorted(wanted)]
    assert list(case.store.claim(case.experiment, case.session, 3)) == []


def claimed_task_says_what_an_engine_needs(case: StoreCase) -> None:
    """And its token is the live one from then on."""
    script = case.script()
    script.ask(3)
    script.ask(1, Ask(leased=False, to_epoch=7))
    (task,) = case.store.claim(case.experiment, case.session, 5)
    assert (task.experiment, task.number, task.segment) == (case.experiment, 3, 0)
    assert (task.from_epoch, task.to_epoch, task.attempts) == (0, 7, 0)
    assert task.vector == encode_vector(3)
    assert task.checkpoint is None
    assert len(task.token) == 32
    assert list(case.store.live_attempts(case.experiment))[-1] == task.token


def claim_of_nothing_is_nothing(case: StoreCase) -> None:
    """No limit, no task, no wait."""
    script = case.script()
    assert list(case.store.claim(case.experiment, case.session, 3)) == []
    script.ask(2, Ask(leased=False))
    assert list(case.store.claim(case.experiment, case.session, 0)) == []
    assert len(case.store.claim(case.experiment, case.session, 5)) == 2


def tasks_are_claimed_when_they_are_ready(case: StoreCase) -> None:
    """Not before, however small their rank."""
    script = case.script()
    script.ask(1, Ask(leased=False))
    (trial,) = case.store.trials(case.experiment)
    script.ask(1, Ask(leased=False, rank=-5.0, ready_at=trial.created_at + 0.6 * case.lease_s))
    assert [t.number for t in case.store.claim(case.experiment, case.session, 5)] == [0]
    assert list(case.store.claim(case.experiment, case.session, 5)) == []
    case.let_pass(0.8 * case.lease_s)
    assert [t.number for t in case.store.claim(case.experiment, case.session, 5)] == [1]


def leased_tasks_are_not_claimed(case: StoreCase) -> None:
    """Whoever was given a task in the transaction that made it has it."""
    script = case.script()
    script.ask(2)
    assert list(case.store.claim(case.experiment, case.session, 5)) == []


def claims_stay_within_their_experiment(case: StoreCase) -> None:
    """Tasks of another experiment wait for its own driver."""
    other = case.store.create_experiment(sample_spec())
    DriverScript(case.store, other, case.session).ask(2, Ask(leased=False, rank=-10.0))
    case.script().ask(1, Ask(leased=False))
    assert len(case.store.claim(case.experiment, case.session, 9)) == 1
    assert len(case.store.claim(other, case.session, 9)) == 2


def claims_merge_the_classes_that_fit(case: StoreCase) -> None:
    """A worker gets the best ranks of all that it can run, and none of the rest."""
    script = case.script()
    needs: tuple[dict[str, float], ...] = (
        {"gpu": 1.0},
        {},
        {"gpu": 0.5},
        {"gpu": 0.5, "ssd": 1.0},
        {"gpu": 1.0},
        {},
    )
    for rank, requirements in enumerate(needs):
        script.ask(1, Ask(leased=False, rank=float(rank), requirements=requirements))
    claim = case.store.claim
    half = claim(case.experiment, case.session, 9, Capacity.parse({"gpu": 0.5}).could)
    assert [task.number for task in half] == [1, 2, 5]
    full = claim(case.experiment, case.session, 2, Capacity.parse({"gpu": 2.0, "ssd": 1.0}).could)
    assert [task.number for task in full] == [0, 3]
    nothing = claim(case.experiment, case.session, 9, Capacity.parse({"ssd": 4.0}).could)
    assert list(nothing) == []
    assert [task.number for task in claim(case.experiment, case.session, 9)] == [4]


def no_task_is_claimed_twice(case: StoreCase) -> None:
    """Threads of several sessions empty a queue together: every task goes to one of them."""
    total = 200
    script = case.script()
    script.ask(total, Ask(leased=False))
    sessions = [case.session, case.store.open_session("second"), case.store.open_session("third")]
    taken: list[tuple[TaskId, AttemptToken]] = []
    lock = threading.Lock()

    def empty(session: int) -> None:
        while tasks := case.store.claim(case.experiment, sessions[session], 7):
            with lock:
                taken.extend((task.id, task.token) for task in tasks)

    threads = [threading.Thread(target=empty, args=(n,)) for n in range(len(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == total
    assert len({task for task, _ in taken}) == total
    assert len({token for _, token in taken}) == total
    assert sorted(case.store.live_attempts(case.experiment)) == sorted(t for _, t in taken)


def ended_session_claims_nothing(case: StoreCase) -> None:
    """It would hold tasks that nobody takes back."""
    case.script().ask(1, Ask(leased=False))
    case.store.close_session(case.session)
    refused(StorageError, lambda: case.store.claim(case.experiment, case.session, 1))


CHECKS: tuple[Check, ...] = (
    claims_go_by_rank_then_by_id,
    claimed_task_says_what_an_engine_needs,
    claim_of_nothing_is_nothing,
    leased_tasks_are_not_claimed,
    tasks_are_claimed_when_they_are_ready,
    claims_stay_within_their_experiment,
    claims_merge_the_classes_that_fit,
    no_task_is_claimed_twice,
    ended_session_claims_nothing,
)
