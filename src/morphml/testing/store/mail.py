"""Checks of mail and orders between the master that holds an attempt and the one that drives."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from morphml.evaluation.orders import Order
from morphml.ids import AttemptToken, ExperimentId, SessionId, new_token
from morphml.search.changes import AttemptResult, ClaimedTask
from morphml.search.experiment import ExperimentState
from morphml.storage import TaskState
from morphml.storage.cluster import AttemptOrder, Mail, MailKind
from morphml.testing.store.case import Check, StoreCase, in_threads
from morphml.testing.store.script import Ask, DriverScript, Handed

_ALL = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """An attempt as a worker names it."""

    owner: ExperimentId
    number: int
    token: AttemptToken


def _elsewhere(case: StoreCase, count: int) -> tuple[DriverScript, SessionId, list[ClaimedTask]]:
    """A driver, another master's session, and tasks that the latter has claimed."""
    case.experiment = case.shared()
    script = case.script()
    script.ask(count, Ask(leased=False))
    other = case.store.open_session("second")
    return script, other, list(case.store.cluster.claim_any(other, count))


def _mail(task: ClaimedTask, kind: MailKind, body: bytes = b"{}") -> Mail:
    return Mail(
        experiment=task.experiment,
        number=task.number,
        segment=task.segment,
        token=task.token,
        kind=kind,
        body=body,
    )


def _handed(task: ClaimedTask) -> Handed:
    return Handed(number=task.number, task=task.id, token=task.token)


def _name(task: ClaimedTask) -> _Name:
    return _Name(owner=task.experiment, number=task.number, token=task.token)


def _kinds(case: StoreCase, experiments: Sequence[ExperimentId] = ()) -> list[MailKind]:
    found = case.store.cluster.mail.waiting(experiments or [case.experiment], _ALL)
    return [one.mail.kind for one in found]


def mail_comes_as_it_was_posted(case: StoreCase) -> None:
    """And stays until it is taken away."""
    box = case.store.cluster.mail
    _, other, (task,) = _elsewhere(case, 1)
    assert box.waiting([case.experiment], _ALL) == []
    posted = [
        _mail(task, MailKind.STARTED, b'{"worker":"edge-\xc3\xa9"}'),
        _mail(task, MailKind.REPORTED, b'{"step":1}'),
        _mail(task, MailKind.CHECKPOINTED),
    ]
    assert box.post(other, posted) == []
    finished = _mail(task, MailKind.FINISHED, b'{"outcome":"succeeded"}')
    assert box.post(other, [finished]) == []
    for _ in range(2):
        found = box.waiting([case.experiment], _ALL)
        assert [one.mail for one in found] == [*posted, finished]
    box.take_away([found[1].id, found[0].id])
    box.take_away([found[1].id])
    box.take_away([])
    assert _kinds(case) == [MailKind.CHECKPOINTED, MailKind.FINISHED]
    record = case.store.experiment(case.experiment)
    assert all(one.posted_at >= record.created_at for one in found)


def mail_is_limited_for_each_experiment(case: StoreCase) -> None:
    """One that tells much does not hide the others."""
    store, box = case.store, case.store.cluster.mail
    loud, other, (first,) = _elsewhere(case, 1)
    quiet = DriverScript(store, case.shared(), case.session)
    quiet.ask(1, Ask(leased=False))
    (second,) = store.cluster.claim_any(other, 1)
    reports = [_mail(first, MailKind.REPORTED, b'{"step":%d}' % step) for step in range(5)]
    assert box.post(other, [*reports, _mail(second, MailKind.STARTED)]) == []
    both = [loud.right.experiment, quiet.right.experiment]
    found = box.waiting(both, 3)
    assert [one.mail for one in found] == [*reports[:3], _mail(second, MailKind.STARTED)]
    assert len(box.waiting(both, _ALL)) == 6
    assert box.waiting([], _ALL) == []


def mail_of_an_attempt_that_is_not_held_is_refused(case: StoreCase) -> None:
    """The rest of the same call is stored."""
    store, box = case.store, case.store.cluster.mail
    _, other, (first, second) = _elsewhere(case, 2)
    stranger = replace(first, token=new_token())
    unknown = replace(first, experiment=ExperimentId("none"), token=new_token())
    told = [
        _mail(stranger, MailKind.STARTED),
        _mail(second, MailKind.STARTED),
        _mail(stranger, MailKind.FINISHED),
        _mail(unknown, MailKind.FINISHED),
    ]
    assert sorted(box.post(other, told)) == sorted([stranger.token, unknown.token])
    assert box.post(case.session, [_mail(first, MailKind.FINISHED)]) == [first.token]
    assert _kinds(case) == [MailKind.STARTED]
    assert store.task_counts(case.experiment) == {TaskState.LEASED: 2}


def posted_end_outlives_the_master_that_held_it(case: StoreCase) -> None:
    """No reaper gives the task back; nobody may claim or adopt it; the driver ends it."""
    store = case.store
    script, other, (done, going) = _elsewhere(case, 2)
    assert store.cluster.mail.post(other, [_mail(done, MailKind.FINISHED)]) == []
    for _ in range(3):
        case.let_pass(case.lease_s * 0.5)
        assert store.renew_session(case.session)
    assert store.leases.reap([other]) == [other]
    assert store.task_counts(case.experiment) == {TaskState.ENDED: 1, TaskState.PENDING: 1}
    assert store.leases.adopt_all(case.session, [_name(done)]) == []
    assert list(store.live_attempts(case.experiment)) == []
    (again,) = store.cluster.claim_any(case.session, 5)
    assert again.number == going.number
    assert _kinds(case) == [MailKind.FINISHED]
    script.tell(_handed(done))
    assert _kinds(case) == []
    results = [attempt.result for attempt in store.attempts(case.experiment)]
    assert sorted(results) == [AttemptResult.LOST, AttemptResult.SUCCEEDED]


def commit_of_an_end_takes_the_mail_of_its_attempt_away(case: StoreCase) -> None:
    """That of other attempts stays; a task that is tried again has a holder again."""
    store, box = case.store, case.store.cluster.mail
    script, other, (done, failed, going) = _elsewhere(case, 3)
    for task in (done, failed):
        told = [_mail(task, MailKind.REPORTED), _mail(task, MailKind.FINISHED)]
        assert box.post(other, told) == []
    assert box.post(other, [_mail(going, MailKind.REPORTED)]) == []
    script.tell(_handed(done))
    script.retry(_handed(failed))
    found = box.waiting([case.experiment], _ALL)
    assert [one.mail for one in found] == [_mail(going, MailKind.REPORTED)]
    (again,) = store.cluster.claim_any(other, 5)
    assert (again.number, again.attempts) == (failed.number, 1)
    assert box.post(other, [_mail(failed, MailKind.STARTED)]) == [failed.token]
    assert box.post(other, [_mail(again, MailKind.FINISHED)]) == []
    assert store.task_counts(case.experiment) == {TaskState.LEASED: 1, TaskState.ENDED: 1}


def completed_experiment_leaves_no_mail(case: StoreCase) -> None:
    """What is left tells of cancelled attempts; a paused one keeps all that waits for it."""
    store, box = case.store, case.store.cluster.mail
    script, other, (told, cancelled) = _elsewhere(case, 2)
    posted = [_mail(cancelled, MailKind.REPORTED), _mail(told, MailKind.FINISHED)]
    assert box.post(other, posted) == []
    script.cancel(_handed(cancelled))
    script.finish(ExperimentState.PAUSED)
    assert len(_kinds(case)) == 2
    script = case.script()
    script.tell(_handed(told))
    neighbour = DriverScript(store, case.shared(), case.session)
    neighbour.ask(1, Ask(leased=False))
    (task,) = store.cluster.claim_any(other, 1)
    assert box.post(other, [_mail(task, MailKind.STARTED)]) == []
    script.finish(ExperimentState.COMPLETED)
    assert _kinds(case) == []
    assert _kinds(case, [task.experiment]) == [MailKind.STARTED]


def end_sent_again_is_known(case: StoreCase) -> None:
    """Whether it waits as mail or is stored; its worker may forget it."""
    store = case.store
    script, other, (task, going) = _elsewhere(case, 2)
    names = [_name(task), _name(going), replace(_name(task), token=new_token())]
    assert store.leases.ended(names) == []
    end = _mail(task, MailKind.FINISHED)
    assert store.cluster.mail.post(other, [end]) == []
    assert store.cluster.mail.post(other, [end]) == [task.token]
    assert store.leases.ended(names) == [task.token]
    script.tell(_handed(task))
    assert store.leases.ended(names) == [task.token]
    assert store.cluster.mail.post(other, [end]) == [task.token]
    assert _kinds(case) == []


def adopted_attempts_are_told_of_by_their_new_holder(case: StoreCase) -> None:
    """Many are adopted at once; whoever held them before is refused."""
    store, box = case.store, case.store.cluster.mail
    _, other, tasks = _elsewhere(case, 3)
    third = store.open_session("third")
    strange = replace(_name(tasks[0]), token=new_token())
    taken = store.leases.adopt_all(third, [strange, *(_name(task) for task in tasks[:2])])
    assert sorted(taken) == sorted(task.token for task in tasks[:2])
    assert store.leases.adopt_all(third, []) == []
    started = [_mail(task, MailKind.STARTED) for task in tasks]
    refused = box.post(other, started)
    assert sorted(refused) == sorted(taken)
    assert box.post(third, started) == [tasks[2].token]
    assert len(_kinds(case)) == 3


def end_is_posted_once_however_masters_race(case: StoreCase) -> None:
    """Two masters believe that they hold each attempt, and one of them is right."""
    total = 60
    _, second, tasks = _elsewhere(case, total)
    third = case.store.open_session("third")
    start = threading.Barrier(2)
    refusals: list[AttemptToken] = []

    def post_all(session: SessionId) -> None:
        start.wait()
        for task in tasks:
            if session == third:
                case.store.leases.adopt_all(third, [_name(task)])
            refusals.extend(case.store.cluster.mail.post(session, [_mail(task, MailKind.FINISHED)]))

    in_threads([lambda: post_all(second), lambda: post_all(third)])
    found = case.store.cluster.mail.waiting([case.experiment], _ALL)
    assert sorted(one.mail.number for one in found) == list(range(total))
    assert sorted(refusals) == sorted(task.token for task in tasks)
    assert case.store.task_counts(case.experiment) == {TaskState.ENDED: total}


def orders_reach_whoever_holds_the_attempt(case: StoreCase) -> None:
    """Also after an adoption, until they were passed on."""
    store, orders = case.store, case.store.cluster.orders
    _, other, (first, second) = _elsewhere(case, 2)
    sent = [_order(first, Order.STOP), _order(second, Order.PAUSE), _order(first, Order.CANCEL)]
    orders.send(sent)
    assert orders.waiting(case.session) == []
    found = orders.waiting(other)
    assert [one.order for one in found] == sent
    orders.done([found[0].id])
    orders.done([found[0].id])
    orders.done([])
    third = store.open_session("third")
    assert store.leases.adopt_all(third, [_name(first)]) == [first.token]
    assert [one.order for one in orders.waiting(other)] == [sent[1]]
    assert [one.order for one in orders.waiting(third)] == [sent[2]]


def order_about_an_attempt_that_ended_is_nobodys(case: StoreCase) -> None:
    """It leaves with the next that is sent."""
    store, orders = case.store, case.store.cluster.orders
    script, other, (posted, told, going) = _elsewhere(case, 3)
    orders.send([_order(task, Order.STOP) for task in (posted, told, going)])
    assert store.cluster.mail.post(other, [_mail(posted, MailKind.FINISHED)]) == []
    script.tell(_handed(told))
    (kept,) = orders.waiting(other)
    assert kept.order == _order(going, Order.STOP)
    orders.send([_order(going, Order.CANCEL)])
    again = orders.waiting(other)
    assert [one.order.order for one in again] == [Order.STOP, Order.CANCEL]
    assert again[0].id == kept.id


def _order(task: ClaimedTask, order: Order) -> AttemptOrder:
    return AttemptOrder(
        experiment=task.experiment, number=task.number, token=task.token, order=order
    )


CHECKS: tuple[Check, ...] = (
    mail_comes_as_it_was_posted,
    mail_is_limited_for_each_experiment,
    mail_of_an_attempt_that_is_not_held_is_refused,
    posted_end_outlives_the_master_that_held_it,
    commit_of_an_end_takes_the_mail_of_its_attempt_away,
    completed_experiment_leaves_no_mail,
    end_sent_again_is_known,
    adopted_attempts_are_told_of_by_their_new_holder,
    end_is_posted_once_however_masters_race,
    orders_reach_whoever_holds_the_attempt,
    order_about_an_attempt_that_ended_is_nobodys,
)
