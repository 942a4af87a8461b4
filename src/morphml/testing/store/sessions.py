"""Checks of sessions: leases, reaping, adoption, giving back."""

from __future__ import annotations

from dataclasses import replace

from morphml.errors import StorageError, TokenRefused
from morphml.ids import SessionId, new_token
from morphml.search.changes import AttemptResult
from morphml.testing.store.case import Check, StoreCase, refused
from morphml.testing.store.script import DriverScript, Handed, sample_spec


def _other_driver(case: StoreCase) -> tuple[DriverScript, SessionId]:
    """A driver of another experiment, whose session is not the case's own."""
    other = case.store.open_session("second")
    case.experiment = case.store.create_experiment(sample_spec())
    return case.script(other), other


def _lose(case: StoreCase, session: SessionId) -> None:
    """Let the lease of ``session`` run out, and no other."""
    for _ in range(3):
        case.let_pass(case.lease_s * 0.5)
        assert case.store.renew_session(case.session)
    late, living = case.store.leases.late()
    assert late == [session]
    assert living == 2
    assert case.store.leases.reap(late) == [session]


def _adopt(case: StoreCase, handed: Handed) -> bool:
    return case.store.leases.adopt(case.session, case.experiment, handed.number, handed.token)


def renewed_session_lives_on(case: StoreCase) -> None:
    """Reaping judges by the lease at the moment of reaping."""
    for _ in range(4):
        case.let_pass(case.lease_s * 0.75)
        assert case.store.renew_session(case.session)
    assert case.store.leases.late() == ([], 1)
    assert case.store.leases.reap([case.session]) == []
    case.let_pass(case.lease_s * 1.25)
    assert case.store.leases.late() == ([case.session], 1)
    assert case.store.renew_session(case.session), "late, and not reaped yet"
    assert case.store.leases.reap([case.session]) == []


def reaped_session_cannot_come_back(case: StoreCase) -> None:
    """It notices at its next renewal, and is reaped once."""
    _, session = _other_driver(case)
    _lose(case, session)
    assert not case.store.renew_session(session)
    assert case.store.leases.reap([session]) == []
    refused(StorageError, lambda: case.store.acquire_driver(case.experiment, session))
    assert case.store.leases.late() == ([], 1)


def closed_session_gives_its_tasks_back_without_an_attempt(case: StoreCase) -> None:
    """A stop on purpose is nobody's failure."""
    script, session = _other_driver(case)
    script.ask(2)
    case.store.close_session(session)
    case.store.close_session(session)
    claimed = case.store.claim(case.experiment, case.session, 5)
    assert [(task.number, task.attempts) for task in claimed] == [(0, 0), (1, 0)]
    assert list(case.store.attempts(case.experiment)) == []


def tasks_of_a_lost_session_go_to_others(case: StoreCase) -> None:
    """The lost attempt is written when the next one begins; its late result is refused."""
    script, session = _other_driver(case)
    handed = script.ask(2)[0]
    _lose(case, session)
    assert list(case.store.attempts(case.experiment)) == []
    script = case.script(case.session)
    (again,) = case.store.claim(case.experiment, case.session, 1)
    assert (again.number, again.attempts) == (0, 1)
    (lost,) = case.store.attempts(case.experiment)
    assert (lost.number, lost.index, lost.result) == (0, 0, AttemptResult.LOST)
    error = refused(TokenRefused, lambda: script.tell(handed))
    assert error.stored, "its end, as lost, is stored"
    script.tell(replace(handed, token=again.token))
    assert len(list(case.store.attempts(case.experiment))) == 2


def lost_attempt_is_written_once(case: StoreCase) -> None:
    """Whatever becomes of the attempts after it."""
    script, session = _other_driver(case)
    handed = script.ask()[0]
    _lose(case, session)
    third = case.store.open_session("third")
    assert len(case.store.claim(case.experiment, third, 5)) == 1
    case.store.close_session(third)
    assert not _adopt(case, handed)
    (again,) = case.store.claim(case.experiment, case.session, 5)
    assert again.attempts == 1
    assert len(list(case.store.attempts(case.experiment))) == 1


def worker_takes_its_task_back_before_the_next_claim(case: StoreCase) -> None:
    """The attempt goes on under its token, as if nothing had happened."""
    script, session = _other_driver(case)
    handed = script.ask()[0]
    _lose(case, session)
    assert not _adopt(case, replace(handed, token=new_token()))
    assert _adopt(case, handed)
    assert list(case.store.live_attempts(case.experiment)) == [handed.token]
    assert list(case.store.claim(case.experiment, case.session, 5)) == []
    case.script(case.session).tell(handed)
    (attempt,) = case.store.attempts(case.experiment)
    assert (attempt.index, attempt.result) == (0, AttemptResult.SUCCEEDED)


def worker_that_comes_back_after_the_next_claim_is_refused(case: StoreCase) -> None:
    """The task has a new token: the worker kills its attempt."""
    script, session = _other_driver(case)
    handed = script.ask()[0]
    _lose(case, session)
    (again,) = case.store.claim(case.experiment, case.session, 1)
    assert not _adopt(case, handed)
    assert list(case.store.live_attempts(case.experiment)) == [again.token]


def adopted_task_survives_the_end_of_its_first_holder(case: StoreCase) -> None:
    """A returning first master's requeue changes nothing."""
    script, session = _other_driver(case)
    kept, left = script.ask(2)
    assert _adopt(case, kept)
    _lose(case, session)
    assert list(case.store.live_attempts(case.experiment)) == [kept.token]
    (claimed,) = case.store.claim(case.experiment, case.session, 5)
    assert claimed.id == left.task


def finished_task_is_not_adopted(case: StoreCase) -> None:
    """There is no row: the worker is told that its attempt is not wanted."""
    script = case.script()
    handed = script.ask()[0]
    script.tell(handed)
    assert not _adopt(case, handed)


def task_that_never_started_goes_back_without_an_attempt(case: StoreCase) -> None:
    """Only under the live token."""
    script = case.script()
    queued, running = script.ask(2)
    stranger: Handed = replace(running, token=new_token())
    given = [(one.number, one.token) for one in (queued, stranger)]
    assert case.store.leases.give_back(case.experiment, given) == 1
    (claimed,) = case.store.claim(case.experiment, case.session, 5)
    assert (claimed.id, claimed.attempts) == (queued.task, 0)
    refused(TokenRefused, lambda: script.tell(queued))
    script.tell(running)


def session_knows_what_it_holds(case: StoreCase) -> None:
    """Of whatever experiments; not what others hold, or what has gone back."""
    script, session = _other_driver(case)
    handed = script.ask(2)
    held = [(each.number, each.token) for each in handed]
    assert case.store.leases.held(session) == {case.experiment: held}
    assert case.store.leases.held(case.session) == {}
    case.store.leases.give_back(case.experiment, held[:1])
    assert case.store.leases.held(session) == {case.experiment: held[1:]}


CHECKS: tuple[Check, ...] = (
    renewed_session_lives_on,
    reaped_session_cannot_come_back,
    closed_session_gives_its_tasks_back_without_an_attempt,
    tasks_of_a_lost_session_go_to_others,
    lost_attempt_is_written_once,
    worker_takes_its_task_back_before_the_next_claim,
    worker_that_comes_back_after_the_next_claim_is_refused,
    adopted_task_survives_the_end_of_its_first_holder,
    finished_task_is_not_adopted,
    task_that_never_started_goes_back_without_an_attempt,
    session_knows_what_it_holds,
)
