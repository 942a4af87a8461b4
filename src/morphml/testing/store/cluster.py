"""Checks of what masters on one store do for each other: driving, claiming, handing over."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

from morphml.errors import ExperimentError, StorageError, StoreInUse, UnknownExperiment
from morphml.ids import AttemptToken, ExperimentId, SessionId, TaskId
from morphml.scheduling.resources import Capacity
from morphml.search.changes import AttemptResult, Driver
from morphml.search.experiment import ExperimentState
from morphml.storage import TaskState
from morphml.storage.cluster import Mail, MailKind
from morphml.testing.store.case import Check, StoreCase, in_threads, refused
from morphml.testing.store.script import Ask, DriverScript, sample_spec

_PENDING = Ask(leased=False)


class _Race:
    """Several sessions that want to drive the same experiment."""

    def __init__(self, case: StoreCase, experiment: ExperimentId, start: threading.Barrier) -> None:
        self._case = case
        self._experiment = experiment
        self._start = start
        self.taken: list[Driver] = []
        self.losers: list[SessionId] = []

    def take(self, session: SessionId) -> None:
        """Take it, at the same moment as all others."""
        self._start.wait()
        try:
            self.taken.append(self._case.store.acquire_driver(self._experiment, session))
        except StoreInUse:
            self.losers.append(session)


def submitted_experiments_are_driven_by_priority_then_age(case: StoreCase) -> None:
    """What nobody has submitted is nobody's to drive."""
    cluster = case.store.cluster
    assert cluster.drivable() == []
    made = [case.experiment]
    for _ in range(3):
        case.let_pass(0.01)
        made.append(case.store.create_experiment(sample_spec()))
    for experiment, priority in zip(made, (5, 9, 5, 1), strict=True):
        cluster.submit(experiment, priority)
    assert cluster.drivable() == [made[1], made[0], made[2], made[3]]
    cluster.submit(made[3], 10)
    assert cluster.drivable() == [made[3], made[1], made[0], made[2]]
    record = case.store.experiment(made[3])
    assert (record.state, record.priority) == (ExperimentState.QUEUED, 10)
    case.store.set_state(made[1], ExperimentState.PAUSED, "not today")
    assert cluster.drivable() == [made[3], made[0], made[2]]
    for priority in (0, 11):
        refused(ExperimentError, partial(cluster.submit, made[0], priority))
    assert case.store.experiment(made[0]).priority == 5


def only_what_nobody_drives_can_be_submitted(case: StoreCase) -> None:
    """And what is not completed; a paused or failed one may go on."""
    submit = case.store.cluster.submit
    assert "none" in str(refused(UnknownExperiment, lambda: submit(ExperimentId("none"))))
    for state in (ExperimentState.PAUSED, ExperimentState.FAILED):
        script = case.script()
        error = refused(ExperimentError, lambda: submit(case.experiment))
        assert "running" in str(error)
        script.finish(state, "because")
        submit(case.experiment)
        record = case.store.experiment(case.experiment)
        assert (record.state, record.reason) == (ExperimentState.QUEUED, "")
    case.script().finish(ExperimentState.COMPLETED)
    assert "completed" in str(refused(ExperimentError, lambda: submit(case.experiment)))


def experiment_without_a_living_driver_is_drivable(case: StoreCase) -> None:
    """As soon as its session has ended: closed, handed over, or reaped."""
    cluster, store = case.store.cluster, case.store
    cluster.submit(case.experiment)
    for number, end in enumerate((store.close_session, cluster.hand_over)):
        session = store.open_session(f"master {number}")
        case.script(session)
        assert cluster.drivable() == []
        end(session)
        assert cluster.drivable() == [case.experiment]
    session = store.open_session("third")
    case.script(session)
    _lose(case, session)
    assert cluster.drivable() == [case.experiment]
    assert store.experiment(case.experiment).state is ExperimentState.RUNNING


def takeover_reaps_the_late_driver_alone(case: StoreCase) -> None:
    """Who comes back after an outage must not end everybody else who has not renewed yet."""
    driver, other = case.store.open_session("driver"), case.store.open_session("other")
    case.script(driver)
    case.let_pass(case.lease_s * 1.25)
    assert case.store.renew_session(case.session)
    case.script()
    assert case.store.leases.late() == ([other], 2)
    assert case.store.renew_session(other)
    assert not case.store.renew_session(driver)


def one_of_several_masters_takes_an_experiment(case: StoreCase) -> None:
    """Whoever loses the race is told so, and drives nothing."""
    sessions = [case.session, *(case.store.open_session(f"master {n}") for n in range(3))]
    for _ in range(10):
        experiment = case.shared()
        race = _Race(case, experiment, threading.Barrier(len(sessions)))
        in_threads([partial(race.take, session) for session in sessions])
        assert (len(race.taken), len(race.losers)) == (1, len(sessions) - 1)
        assert race.taken[0].epoch == 1


def masters_show_where_they_are_and_what_they_drive(case: StoreCase) -> None:
    """Until their session has ended."""
    cluster = case.store.cluster
    case.let_pass(0.01)
    other = case.store.open_session("second")
    cluster.announce(other, "host-2:50051")
    case.script(other)
    first, second = cluster.masters()
    assert (first.session, first.name, first.address) == (case.session, "first", "")
    assert (second.session, second.name, second.address) == (other, "second", "host-2:50051")
    assert (first.experiments, second.experiments) == ((), (case.experiment,))
    assert (first.report, second.report) == ({}, {})
    for slots in (1, 2):
        cluster.report(other, {"slots": slots, "of": {"e": [1.0, 2]}})
    assert cluster.masters()[1].report == {"slots": 2, "of": {"e": [1.0, 2]}}
    assert 0.0 < second.lease_left_s <= case.lease_s
    case.let_pass(case.lease_s * 1.25)
    assert [master.lease_left_s < 0.0 for master in cluster.masters()] == [True, True]
    case.store.close_session(other)
    assert [master.session for master in cluster.masters()] == [case.session]
    refused(StorageError, lambda: cluster.announce(other, "host-3:50051"))
    refused(StorageError, lambda: cluster.report(other, {}))


def claims_for_others_go_by_rank_over_all_that_runs(case: StoreCase) -> None:
    """Whatever the experiment and the class; the task says what its worker must offer."""
    store, claim = case.store, case.store.cluster.claim_any
    gpu = {"gpu": 1.0}
    case.experiment = case.shared()
    one = case.script()
    two = DriverScript(store, case.shared(), case.session)
    other = store.open_session("second")
    for rank, script, requirements in (
        (4.0, one, {}),
        (1.0, two, {}),
        (3.0, two, gpu),
        (2.0, one, gpu),
        (5.0, two, {}),
    ):
        script.ask(1, replace(_PENDING, rank=rank, requirements=requirements))
    assert [task.number for task in claim(other, 1)] == [0]
    tasks = claim(other, 2, Capacity.parse({"gpu": 2.0}).could)
    assert [(task.experiment, task.number) for task in tasks] == [
        (one.right.experiment, 1),
        (two.right.experiment, 1),
    ]
    assert [task.requirements for task in tasks] == [gpu, gpu]
    assert list(claim(other, 0)) == []
    none_of_two = {two.right.experiment: 0}
    tasks = claim(other, 9, Capacity.parse({"ssd": 1.0}).could, none_of_two)
    assert [(task.experiment, task.number) for task in tasks] == [(case.experiment, 0)]
    tasks = claim(other, 9)
    assert [(task.experiment, task.number) for task in tasks] == [(two.right.experiment, 2)]
    assert list(claim(other, 9)) == []
    assert sorted(store.live_attempts(case.experiment)) == sorted(
        task.token for task in store.cluster.tasks(case.experiment) if task.token
    )


def claims_for_others_take_no_more_of_an_experiment_than_they_may(case: StoreCase) -> None:
    """The first by rank of each, over all its classes; others are not held up by it."""
    store, gpu = case.store, {"gpu": 1.0}
    case.experiment = case.shared()
    one = case.script()
    two = DriverScript(store, case.shared(), case.session)
    for rank, script, requirements in (
        (1.0, one, {}),
        (2.0, one, gpu),
        (3.0, one, {}),
        (4.0, two, {}),
        (5.0, one, gpu),
        (6.0, two, {}),
    ):
        script.ask(1, replace(_PENDING, rank=rank, requirements=requirements))
    other = store.open_session("second")
    tasks = store.cluster.claim_any(other, 9, at_most={one.right.experiment: 2})
    assert [(task.experiment, task.number) for task in tasks] == [
        (one.right.experiment, 0),
        (one.right.experiment, 1),
        (two.right.experiment, 0),
        (two.right.experiment, 1),
    ]
    assert list(store.cluster.claim_any(other, 9, at_most={one.right.experiment: 0})) == []
    left = store.cluster.claim_any(other, 1, at_most={one.right.experiment: 5})
    assert [(task.experiment, task.number) for task in left] == [(one.right.experiment, 2)]


def claims_for_others_leave_out_what_does_not_run(case: StoreCase) -> None:
    """Paused, queued again, or asked to stop; nor what was never submitted, nor is due."""
    store, claim = case.store, case.store.cluster.claim_any
    asked_to_stop, paused, queued = (
        DriverScript(store, case.shared(), case.session) for _ in range(3)
    )
    for script in (asked_to_stop, paused, queued, case.script()):
        script.ask(1, _PENDING)
    store.set_state(asked_to_stop.right.experiment, ExperimentState.PAUSED, "enough")
    paused.finish(ExperimentState.PAUSED)
    queued.finish(ExperimentState.PAUSED)
    store.cluster.submit(queued.right.experiment)
    assert list(claim(case.session, 9)) == []
    again = DriverScript(store, queued.right.experiment, case.session)
    assert [task.experiment for task in claim(case.session, 9)] == [again.right.experiment]
    ready_at = store.experiments()[0].created_at + 0.6 * case.lease_s
    again.ask(1, replace(_PENDING, ready_at=ready_at))
    assert list(claim(case.session, 9)) == []
    case.let_pass(0.8 * case.lease_s)
    assert [task.number for task in claim(case.session, 9)] == [1]
    store.close_session(case.session)
    refused(StorageError, lambda: claim(case.session, 9))


def no_task_is_claimed_twice_for_others(case: StoreCase) -> None:
    """Masters empty the queues of two experiments together: every task goes to one of them."""
    total = 150
    store = case.store
    for script in (DriverScript(store, case.shared(), case.session) for _ in range(2)):
        script.ask(total, _PENDING)
    sessions = [case.session, store.open_session("second"), store.open_session("third")]
    taken: list[tuple[TaskId, AttemptToken]] = []

    def empty(session: SessionId) -> None:
        while tasks := store.cluster.claim_any(session, 7):
            taken.extend((task.id, task.token) for task in tasks)

    in_threads([partial(empty, session) for session in sessions])
    # A claim that finds nothing but what others have locked comes back empty and ends its thread.
    empty(case.session)
    assert len(taken) == 2 * total
    assert len({task for task, _ in taken}) == 2 * total
    assert len({token for _, token in taken}) == 2 * total


def tasks_show_who_holds_them(case: StoreCase) -> None:
    """Waiting, held here, held elsewhere, ended; not those that wait for a promotion."""
    store = case.store
    case.experiment = case.shared()
    script = case.script()
    script.pause(script.ask()[0])
    mine = script.ask()[0]
    script.ask(1, replace(_PENDING, rank=-1.0))
    other = store.open_session("second")
    (ended,) = store.cluster.claim_any(other, 1)
    script.ask(1, replace(_PENDING, rank=-1.0))
    (theirs,) = store.cluster.claim_any(other, 1)
    script.ask(1, replace(_PENDING, to_epoch=8))
    finished = Mail(
        experiment=case.experiment,
        number=ended.number,
        segment=0,
        token=ended.token,
        kind=MailKind.FINISHED,
    )
    assert store.cluster.mail.post(other, [finished]) == []
    tasks = store.cluster.tasks(case.experiment)
    assert [(task.number, task.token, task.holder) for task in tasks] == [
        (1, mine.token, case.session),
        (2, ended.token, None),
        (3, theirs.token, other),
        (4, None, None),
    ]
    assert store.cluster.tasks(case.experiment, under_way=True) == tasks[:3]
    assert [task.to_epoch for task in tasks] == [3, 3, 3, 8]
    assert {task.attempts for task in tasks} == {0}
    assert store.task_counts(case.experiment) == {
        TaskState.PAUSED: 1,
        TaskState.LEASED: 2,
        TaskState.ENDED: 1,
        TaskState.PENDING: 1,
    }
    assert store.cluster.tasks(ExperimentId("none")) == []


def handed_over_attempts_go_on_under_another_master(case: StoreCase) -> None:
    """For a while only their workers may take them; then whoever comes first."""
    store = case.store
    going = store.open_session("going")
    experiment = case.shared()
    script = DriverScript(store, experiment, going)
    kept, left = script.ask(2)
    store.cluster.hand_over(going, grace_s=0.5 * case.lease_s)
    store.cluster.hand_over(going)
    assert not store.renew_session(going)
    case.experiment = experiment
    again = case.script()
    assert list(store.claim(experiment, case.session, 5)) == []
    assert store.leases.adopt(case.session, experiment, kept.number, kept.token)
    again.tell(kept)
    assert [attempt.index for attempt in store.attempts(experiment)] == [0]
    case.let_pass(0.75 * case.lease_s)
    (claimed,) = store.cluster.claim_any(case.session, 5)
    assert (claimed.id, claimed.attempts) == (left.task, 1)
    assert not store.leases.adopt(case.session, experiment, left.number, left.token)
    results = [attempt.result for attempt in store.attempts(experiment)]
    assert results == [AttemptResult.SUCCEEDED, AttemptResult.LOST]


def store_keeps_its_identity(case: StoreCase) -> None:
    """However many masters ask for it first."""
    found: list[str] = []
    in_threads([lambda: found.append(case.store.cluster.identity()) for _ in range(4)])
    found.append(case.store.cluster.identity())
    assert len(found) == 5
    assert len(set(found)) == 1
    assert len(found[0]) > 8


def _lose(case: StoreCase, session: SessionId) -> None:
    """Let the lease of ``session`` run out, and not the case's own."""
    for _ in range(3):
        case.let_pass(case.lease_s * 0.5)
        assert case.store.renew_session(case.session)
    assert case.store.leases.reap([session]) == [session]


CHECKS: tuple[Check, ...] = (
    submitted_experiments_are_driven_by_priority_then_age,
    only_what_nobody_drives_can_be_submitted,
    experiment_without_a_living_driver_is_drivable,
    takeover_reaps_the_late_driver_alone,
    one_of_several_masters_takes_an_experiment,
    masters_show_where_they_are_and_what_they_drive,
    claims_for_others_go_by_rank_over_all_that_runs,
    claims_for_others_take_no_more_of_an_experiment_than_they_may,
    claims_for_others_leave_out_what_does_not_run,
    no_task_is_claimed_twice_for_others,
    tasks_show_who_holds_them,
    handed_over_attempts_go_on_under_another_master,
    store_keeps_its_identity,
)
