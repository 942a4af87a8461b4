"""Checks of attempts: tokens, retries, pauses, checkpoints."""

from __future__ import annotations

from dataclasses import replace

from morphml.errors import StorageError, TokenRefused
from morphml.ids import new_token
from morphml.search.changes import AttemptResult, Changes, TrialUpdate
from morphml.search.experiment import TrialState
from morphml.storage import TaskState
from morphml.testing.store.case import Check, StoreCase, refused
from morphml.testing.store.script import Ask, encode_vector


def finished_task_leaves_and_its_attempt_stays(case: StoreCase) -> None:
    """One row for the attempt, none for the task."""
    script = case.script()
    done, going = script.ask(2)
    script.tell(done)
    assert list(case.store.live_attempts(case.experiment)) == [going.token]
    assert case.store.task_counts(case.experiment) == {TaskState.LEASED: 1}
    (attempt,) = case.store.attempts(case.experiment)
    assert (attempt.number, attempt.segment, attempt.index) == (0, 0, 0)
    assert (attempt.result, attempt.worker) == (AttemptResult.SUCCEEDED, "worker-1")
    assert (attempt.started_at, attempt.duration_s) == (1_000.0, 1.5)
    assert attempt.failure is None
    assert case.trial_states() == [TrialState.COMPLETED, TrialState.PENDING]


def result_under_another_token_is_refused(case: StoreCase) -> None:
    """A late result of an attempt that was given up changes nothing."""
    script = case.script()
    handed = script.ask()[0]
    stranger = replace(handed, token=new_token())
    error = refused(TokenRefused, lambda: script.tell(stranger))
    assert not error.stored
    assert case.counters() == (1, 1)
    assert list(case.store.attempts(case.experiment)) == []
    script.tell(handed)


def result_sent_again_is_answered_stored(case: StoreCase) -> None:
    """The sender may forget it; nothing is stored twice."""
    script = case.script()
    handed = script.ask()[0]
    assert case.store.leases.stored(case.experiment, 0, handed.token) is None
    script.tell(handed, accuracy=0.25)
    error = refused(TokenRefused, lambda: script.tell(handed, accuracy=0.75))
    assert error.stored
    stored = case.store.leases.stored(case.experiment, 0, handed.token)
    assert stored is AttemptResult.SUCCEEDED
    (trial,) = case.store.trials(case.experiment)
    assert trial.metrics == {"accuracy": 0.25}
    assert case.counters() == (1, 2)


def failed_attempt_is_retried_when_it_is_due(case: StoreCase) -> None:
    """The number stays, the token changes, the attempts are counted."""
    script = case.script()
    handed = script.ask()[0]
    (started,) = (trial.created_at for trial in case.store.trials(case.experiment))
    script.retry(handed, ready_at=started + 0.6 * case.lease_s)
    case.let_pass(0.4 * case.lease_s)
    assert list(case.store.claim(case.experiment, case.session, 5)) == []
    case.let_pass(0.4 * case.lease_s)
    (again,) = case.store.claim(case.experiment, case.session, 5)
    assert (again.id, again.number, again.attempts) == (handed.task, 0, 1)
    assert again.token != handed.token
    refused(TokenRefused, lambda: script.tell(handed))
    script.tell(replace(handed, token=again.token))
    first, second = case.store.attempts(case.experiment)
    assert (first.index, first.result) == (0, AttemptResult.FAILED)
    assert first.failure == {"kind": "crash", "message": "gone"}
    assert (second.index, second.result) == (1, AttemptResult.SUCCEEDED)


def paused_trial_waits_for_its_promotion(case: StoreCase) -> None:
    """A paused task is not claimed; the promotion is another task of the same trial."""
    script = case.script()
    handed = script.ask()[0]
    pointer = script.checkpoint(handed, step=1)
    script.pause(handed)
    assert case.trial_states() == [TrialState.PAUSED]
    assert case.store.task_counts(case.experiment) == {TaskState.PAUSED: 1}
    assert list(case.store.claim(case.experiment, case.session, 5)) == []
    assert list(case.store.live_attempts(case.experiment)) == []
    script.promote(handed, segment=1)
    assert case.store.task_counts(case.experiment) == {TaskState.PENDING: 1}
    (claimed,) = case.store.claim(case.experiment, case.session, 5)
    assert (claimed.number, claimed.segment, claimed.attempts) == (0, 1, 0)
    assert (claimed.from_epoch, claimed.to_epoch) == (1, 9)
    assert claimed.checkpoint == pointer
    assert claimed.vector == encode_vector(0)
    script.tell(replace(handed, task=claimed.id, token=claimed.token))
    assert case.store.task_counts(case.experiment) == {}
    segments = [(a.segment, a.index, a.result) for a in case.store.attempts(case.experiment)]
    assert segments == [(0, 0, AttemptResult.PAUSED), (1, 0, AttemptResult.SUCCEEDED)]


def segment_is_stored_once(case: StoreCase) -> None:
    """The same promotion, committed twice, is refused the second time."""
    script = case.script()
    handed = script.ask()[0]
    script.pause(handed)
    script.promote(handed, segment=1)
    refused(StorageError, lambda: script.promote(handed, segment=1))
    assert case.counters() == (1, 3)


def cancelled_trial_takes_no_result(case: StoreCase) -> None:
    """The cancellation came first: it clears the token, and the task leaves."""
    script = case.script()
    going, waiting = script.ask(1)[0], script.ask(1, Ask(leased=False))[0]
    script.cancel(going)
    script.cancel(waiting)
    assert case.trial_states() == [TrialState.CANCELLED, TrialState.CANCELLED]
    refused(TokenRefused, lambda: script.tell(going))
    assert list(case.store.live_attempts(case.experiment)) == []
    assert list(case.store.claim(case.experiment, case.session, 5)) == []
    assert case.store.task_counts(case.experiment) == {}


def result_that_came_first_is_not_cancelled_away(case: StoreCase) -> None:
    """What is told stays told, whatever a later update leaves out."""
    script = case.script()
    handed = script.ask()[0]
    script.tell(handed, accuracy=0.5)
    script.commit(Changes(updates=(TrialUpdate(number=0, state=TrialState.PRUNED),)))
    (trial,) = case.store.trials(case.experiment)
    assert trial.metrics == {"accuracy": 0.5}


def checkpoint_exists_from_its_commit_on(case: StoreCase) -> None:
    """The attempt after a loss goes on from the one that is furthest."""
    script = case.script()
    handed = script.ask()[0]
    script.checkpoint(handed, step=1)
    newest = script.checkpoint(handed, step=10)
    stranger = replace(handed, token=new_token())
    refused(TokenRefused, lambda: script.checkpoint(stranger, step=11))
    script.retry(handed)
    (claimed,) = case.store.claim(case.experiment, case.session, 1)
    assert claimed.checkpoint == newest


def failure_keeps_its_text(case: StoreCase) -> None:
    """Quotes, line ends and other scripts come back as they were."""
    script = case.script()
    handed = script.ask()[0]
    failure = '{"message":"naïve \\u2028 \\"x\\"\\n — ошибка; DROP TABLE trials"}'.encode()
    end = replace(script.telling(handed).ended[0], result=AttemptResult.FAILED, failure=failure)
    script.commit(Changes(ended=(end,)))
    (attempt,) = case.store.attempts(case.experiment)
    assert attempt.failure == {"message": 'naïve \u2028 "x"\n — ошибка; DROP TABLE trials'}


CHECKS: tuple[Check, ...] = (
    finished_task_leaves_and_its_attempt_stays,
    result_under_another_token_is_refused,
    result_sent_again_is_answered_stored,
    failed_attempt_is_retried_when_it_is_due,
    paused_trial_waits_for_its_promotion,
    segment_is_stored_once,
    cancelled_trial_takes_no_result,
    result_that_came_first_is_not_cancelled_away,
    checkpoint_exists_from_its_commit_on,
    failure_keeps_its_text,
)
