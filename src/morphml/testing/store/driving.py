"""Checks of experiments and of the driver's fence."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from morphml.errors import (
    DriverLost,
    ExperimentError,
    StorageError,
    StoreInUse,
    TokenRefused,
    UnknownExperiment,
)
from morphml.ids import ExperimentId, PointId, new_token
from morphml.search.changes import Changes
from morphml.search.experiment import ExperimentSpec, ExperimentState, TrialState
from morphml.search.log import EntryKind
from morphml.testing.store.case import Check, StoreCase, refused
from morphml.testing.store.script import Ask, DriverScript, sample_spec


def new_experiment_is_stored_as_it_was_given(case: StoreCase) -> None:
    """Nothing of the spec is lost, nothing is taken yet."""
    record = case.store.experiment(case.experiment)
    assert ExperimentSpec.from_json(record.spec) == sample_spec()
    assert (record.state, record.reason) == (ExperimentState.CREATED, "")
    assert (record.next_number, record.seq, record.spent_s) == (0, 0, 0.0)
    assert record.budget == sample_spec().budget.trials
    urgent = replace(sample_spec(), priority=8)
    record = case.store.experiment(case.store.create_experiment(urgent))
    assert record.priority == 8
    assert record.current_spec == urgent


def experiments_come_newest_first(case: StoreCase) -> None:
    """Names need not be unique, ids are."""
    made = [case.experiment]
    for _ in range(3):
        case.let_pass(0.01)
        made.append(case.store.create_experiment(sample_spec()))
    assert [record.id for record in case.store.experiments()] == made[::-1]


def unknown_experiment_is_named_in_the_error(case: StoreCase) -> None:
    """Every call that takes an experiment's id says so when there is none."""
    missing = ExperimentId("no-such-id")
    for call in (
        lambda: case.store.experiment(missing),
        lambda: case.store.acquire_driver(missing, case.session),
        lambda: case.store.extend_budget(missing, 5),
        lambda: case.store.set_state(missing, ExperimentState.PAUSED, ""),
        lambda: case.store.stop_requested(missing),
    ):
        assert missing in str(refused(UnknownExperiment, call))


def commit_stores_every_part_in_one_transaction(case: StoreCase) -> None:
    """Result of trial 0 and proposal, task and entries of trial 1 come together."""
    script = case.script()
    first = script.ask()[0]
    told = script.telling(first, accuracy=0.75)
    asked, _ = script.asking(1, Ask())
    entries = (*told.entries, asked.entries[0]._replace(seq=script.seq + 2))
    script.commit(replace(asked, ended=told.ended, updates=told.updates, entries=entries))
    trials = list(case.store.trials(case.experiment))
    assert [trial.state for trial in trials] == [TrialState.COMPLETED, TrialState.PENDING]
    assert trials[0].metrics == {"accuracy": 0.75}
    assert trials[0].computed == {"params": 100}
    assert (trials[0].duration_s, trials[0].epochs) == (1.5, 3)
    assert trials[0].ended_at is not None
    assert trials[1].ended_at is None
    kinds = [entry.kind for entry in case.store.log(case.experiment)]
    assert kinds == [EntryKind.ASKED, EntryKind.TOLD, EntryKind.ASKED]
    assert case.counters() == (2, 3)


def numbers_other_than_the_next_are_refused(case: StoreCase) -> None:
    """A driver whose memory runs ahead or behind has lost the experiment."""
    script = case.script()
    script.ask(2)
    for number in (0, 1, 3):
        script.number = number
        changes, _ = script.asking(1, Ask())
        refused(DriverLost, partial(case.store.commit, script.right, changes))
    assert case.counters() == (2, 2)


def log_entries_other_than_the_next_are_refused(case: StoreCase) -> None:
    """The log has one order and no gaps."""
    script = case.script()
    script.ask(2)
    for seq in (0, 1, 3):
        script.seq = seq
        changes = Changes(entries=(script.entry(EntryKind.REJECTED, 2),))
        refused(DriverLost, partial(case.store.commit, script.right, changes))
    assert case.counters() == (2, 2)


def budget_cannot_be_exceeded(case: StoreCase) -> None:
    """N trials are N numbers; a transaction that would take one more stores nothing."""
    experiment = case.store.create_experiment(sample_spec(trials=3))
    script = DriverScript(case.store, experiment, case.session)
    script.ask(2)
    refused(DriverLost, lambda: script.ask(2))
    script.ask(1)
    refused(DriverLost, lambda: script.ask(1))
    assert case.store.experiment(experiment).next_number == 3
    assert len(list(case.store.trials(experiment))) == 3


def budget_may_be_raised_but_not_below_what_is_taken(case: StoreCase) -> None:
    """A raised budget lets the driver go on; a completed experiment may be resumed then."""
    experiment = case.store.create_experiment(sample_spec(trials=2))
    script = DriverScript(case.store, experiment, case.session)
    script.ask(2)
    refused(ExperimentError, lambda: case.store.extend_budget(experiment, 1))
    script.finish(ExperimentState.COMPLETED)
    refused(ExperimentError, lambda: DriverScript(case.store, experiment, case.session))
    case.store.extend_budget(experiment, 3)
    assert case.store.experiment(experiment).budget == 3
    again = DriverScript(case.store, experiment, case.session)
    again.ask(1)
    assert case.store.experiment(experiment).next_number == 3


def second_takeover_fences_the_first_driver_out(case: StoreCase) -> None:
    """The old driver can store nothing, not even an empty transaction."""
    old = case.script()
    old.ask()
    new = case.script()
    assert new.right.epoch == old.right.epoch + 1
    assert new.right.nonce != old.right.nonce
    assert (new.number, new.seq) == (old.number, old.seq)
    refused(DriverLost, lambda: old.ask())
    refused(DriverLost, lambda: old.commit(Changes()))
    refused(DriverLost, lambda: old.finish(ExperimentState.FAILED))
    new.ask()
    assert case.counters() == (2, 2)
    assert case.store.experiment(case.experiment).state is ExperimentState.RUNNING


def live_driver_is_not_taken_over(case: StoreCase) -> None:
    """Another session waits until the driver's session has ended or its lease has run out."""
    old = case.script()
    other = case.store.open_session("second")
    error = refused(StoreInUse, lambda: case.script(other))
    assert case.session in str(error)
    case.let_pass(case.lease_s * 0.6)
    assert case.store.renew_session(other)
    case.let_pass(case.lease_s * 0.6)
    new = case.script(other)
    refused(DriverLost, lambda: old.ask())
    new.ask()
    assert not case.store.renew_session(case.session), "who was taken over must notice"
    assert case.counters() == (1, 1)


def closed_session_leaves_the_experiment_to_others(case: StoreCase) -> None:
    """No lease has to run out after an orderly end."""
    old = case.script()
    old.ask()
    other = case.store.open_session("second")
    case.store.close_session(case.session)
    new = case.script(other)
    assert new.number == 1
    refused(DriverLost, lambda: old.ask())
    refused(StorageError, lambda: case.script(case.session))


def ended_experiment_takes_no_more_transactions(case: StoreCase) -> None:
    """Completed is for good; paused and failed may be taken over again."""
    for state in (ExperimentState.PAUSED, ExperimentState.FAILED, ExperimentState.COMPLETED):
        script = case.script()
        script.ask()
        script.finish(state, f"because {state}")
        record = case.store.experiment(case.experiment)
        assert (record.state, record.reason) == (state, f"because {state}")
        refused(DriverLost, partial(script.ask))
    refused(ExperimentError, lambda: case.script())
    stop = partial(case.store.set_state, case.experiment, ExperimentState.PAUSED, "late")
    refused(ExperimentError, stop)
    assert case.store.experiment(case.experiment).state is ExperimentState.COMPLETED
    assert case.counters() == (3, 3)


def point_is_tried_once_per_experiment(case: StoreCase) -> None:
    """The second trial of a point is refused with its whole transaction."""
    script = case.script()
    script.ask(2)
    changes, _ = script.asking(2, Ask())
    twice = replace(changes.trials[1], point_id=PointId("point-0"))
    refused(
        StorageError,
        lambda: script.commit(replace(changes, trials=(changes.trials[0], twice))),
    )
    assert case.counters() == (2, 2)
    other = case.store.create_experiment(sample_spec())
    DriverScript(case.store, other, case.session).ask(2)
    script.commit(changes)
    assert case.counters() == (4, 4)


def refused_part_undoes_the_whole_transaction(case: StoreCase) -> None:
    """A token that is not live keeps trials, tasks, entries and counters as they were."""
    script = case.script()
    first = script.ask()[0]
    asked, handed = script.asking(1, Ask(leased=False))
    stranger = replace(script.telling(first).ended[0], token=new_token())
    refused(TokenRefused, lambda: script.commit(replace(asked, ended=(stranger,))))
    assert case.counters() == (1, 1)
    assert list(case.store.claim(case.experiment, case.session, 10)) == []
    assert list(case.store.live_attempts(case.experiment)) == [first.token]
    script.commit(asked)
    claimed = case.store.claim(case.experiment, case.session, 10)
    assert [task.id for task in claimed] == [handed[0].task]


def stop_asked_from_outside_reaches_the_driver(case: StoreCase) -> None:
    """With a live driver it is a request; the next takeover forgets it."""
    script = case.script()
    assert not case.store.stop_requested(case.experiment)
    case.store.set_state(case.experiment, ExperimentState.PAUSED, "enough")
    assert case.store.stop_requested(case.experiment)
    assert case.store.experiment(case.experiment).state is ExperimentState.RUNNING
    script.ask()
    script.finish(ExperimentState.PAUSED, "enough")
    assert not case.store.stop_requested(case.experiment)
    case.script()
    case.store.set_state(case.experiment, ExperimentState.PAUSED, "again")
    case.script()
    assert not case.store.stop_requested(case.experiment)


def request_waits_until_the_driver_has_answered(case: StoreCase) -> None:
    """Asked by anybody, with or without a driver; oldest first."""
    requests = case.store.requests
    assert requests.waiting(case.experiment) == []
    refused(UnknownExperiment, lambda: requests.cancel_trial(ExperimentId("none"), 1))
    for number in (4, 2):
        requests.cancel_trial(case.experiment, number)
    first, second = requests.waiting(case.experiment)
    assert (first.number, second.number) == (4, 2)
    requests.answered([first])
    requests.answered([first])
    assert requests.waiting(case.experiment) == [second]
    assert requests.waiting(case.store.create_experiment(sample_spec())) == []


def state_is_set_at_once_where_nobody_drives(case: StoreCase) -> None:
    """There is no driver that could see a request."""
    case.store.set_state(case.experiment, ExperimentState.PAUSED, "later")
    record = case.store.experiment(case.experiment)
    assert (record.state, record.reason) == (ExperimentState.PAUSED, "later")
    assert not case.store.stop_requested(case.experiment)


def time_spent_adds_up_over_takeovers(case: StoreCase) -> None:
    """A run counts from its takeover to its last commit; the time between runs does not."""
    for _ in range(2):
        script = case.script()
        case.let_pass(0.25 * case.lease_s)
        script.ask()
        script.finish(ExperimentState.PAUSED)
        case.let_pass(0.5 * case.lease_s)
    spent = case.store.experiment(case.experiment).spent_s
    assert 0.5 * case.lease_s <= spent < 0.75 * case.lease_s, spent


CHECKS: tuple[Check, ...] = (
    new_experiment_is_stored_as_it_was_given,
    experiments_come_newest_first,
    unknown_experiment_is_named_in_the_error,
    commit_stores_every_part_in_one_transaction,
    numbers_other_than_the_next_are_refused,
    log_entries_other_than_the_next_are_refused,
    budget_cannot_be_exceeded,
    budget_may_be_raised_but_not_below_what_is_taken,
    second_takeover_fences_the_first_driver_out,
    live_driver_is_not_taken_over,
    closed_session_leaves_the_experiment_to_others,
    ended_experiment_takes_no_more_transactions,
    point_is_tried_once_per_experiment,
    refused_part_undoes_the_whole_transaction,
    stop_asked_from_outside_reaches_the_driver,
    request_waits_until_the_driver_has_answered,
    state_is_set_at_once_where_nobody_drives,
    time_spent_adds_up_over_takeovers,
)
