"""One bad experiment, mail or claim neither ends a master nor stops the others."""

from __future__ import annotations

import hashlib
import time

import cloudpickle
from tests.integration.engines.remote.scripted import eventually, named
from tests.integration.master.cluster.masters import LONG_S, Site, spec

from morphml.master.cluster.master import Master
from morphml.search.experiment import EvaluatorReference, ExperimentSpec, ExperimentState
from morphml.storage.cluster import Mail, MailKind


def runs(master: Master) -> bool:
    """Whether it has not ended; raises what ended it."""
    return not master.wait(0.0)


def pickled(site: Site, **fields: object) -> ExperimentSpec:
    """An experiment whose evaluator travels by value."""
    payload = cloudpickle.dumps((None, len))
    name = hashlib.sha256(payload).hexdigest()
    site.store.bundles.put(name, [payload])
    evaluator = EvaluatorReference(kind="pickle", reference="len", bundle=name)
    return spec(evaluator=evaluator, **fields)  # type: ignore[arg-type]  # the spec's own


def test_master_that_may_not_send_an_experiment_leaves_its_tasks_to_others(shared: Site) -> None:
    first = shared.master("first", allow_pickle=True)
    experiment = shared.submit(pickled(shared, trials=4))
    shared.await_driver(experiment, first)
    second = shared.master("second")
    idle = shared.worker(second, "w2", slots=4)
    worker = shared.worker(first, "w1", slots=1)
    worker.await_tasks(1)
    eventually(lambda: len(shared.tasks(experiment)) > 1, LONG_S, "tasks for the other master")
    time.sleep(2.0)  # it may try
    for count in (1, 2, 3, 4):
        eventually(lambda c=count: len(worker.tasks()) >= c, LONG_S, f"{count} tasks")
        worker.finish(worker.tasks()[count - 1])
    shared.await_state(experiment, ExperimentState.COMPLETED)
    assert runs(first)
    assert runs(second)
    assert idle.tasks() == []


def test_attempt_that_a_master_adopts_and_could_not_send_is_told_to_its_driver(
    shared: Site,
) -> None:
    first = shared.master("first", allow_pickle=True)
    worker = shared.worker(first, slots=1)
    experiment = shared.submit(pickled(shared, trials=1))
    [task] = worker.await_tasks(1)
    worker.start(task.attempt.token)
    second = shared.master("second")
    worker.hang_up()
    moved = shared.worker(second, slots=1, attempts=(named(task),))
    eventually(lambda: task.attempt.token in moved.kept(), LONG_S, "its new master to adopt it")
    moved.finish(task)
    shared.await_state(experiment, ExperimentState.COMPLETED)
    assert len(shared.attempts(experiment)) == 1


def test_claim_for_another_master_whose_answer_was_lost_goes_back(shared: Site) -> None:
    first = shared.master("first")
    experiment = shared.submit(spec(trials=1))
    shared.await_driver(experiment, first)
    worker = shared.worker(first, slots=1)
    [task] = worker.await_tasks(1)
    worker.hang_up()
    eventually(lambda: shared.tasks(experiment)[0].token is None, LONG_S, "the task to go back")
    second = shared.master("second")
    [claimed] = shared.store.cluster.claim_any(second.life.keeper.session, 1)
    assert claimed.experiment == experiment
    again = shared.worker(second, "w2", slots=1)
    eventually(again.tasks, LONG_S, "that the task is run")
    [task] = again.tasks()
    again.start(task.attempt.token)
    again.finish(task)
    shared.await_state(experiment, ExperimentState.COMPLETED)


def test_experiment_goes_on_though_its_budget_was_cut_while_it_ran(alone: Site) -> None:
    master = alone.master("one")
    worker = alone.worker(master, slots=2)
    experiment = alone.submit(spec(trials=10))
    worker.await_tasks(2)
    alone.store.extend_budget(experiment, 3)
    for count in (1, 2, 3):
        eventually(lambda c=count: len(worker.tasks()) >= c, LONG_S, f"{count} tasks")
        worker.finish(worker.tasks()[count - 1])
    alone.await_state(experiment, ExperimentState.COMPLETED)
    assert alone.record(experiment).next_number == 3


def test_experiment_uses_a_budget_that_was_raised_while_it_ran(alone: Site) -> None:
    master = alone.master("one")
    worker = alone.worker(master, slots=1)
    experiment = alone.submit(spec(trials=2))
    worker.await_tasks(1)
    alone.store.extend_budget(experiment, 4)
    for count in (1, 2, 3, 4):
        eventually(lambda c=count: len(worker.tasks()) >= c, LONG_S, f"{count} tasks")
        worker.finish(worker.tasks()[count - 1])
    alone.await_state(experiment, ExperimentState.COMPLETED)
    assert alone.record(experiment).next_number == 4


def test_mail_that_cannot_be_read_does_not_end_the_master(shared: Site) -> None:
    """As when a newer version wrote it."""
    first = shared.master("first")
    worker = shared.worker(first, slots=1)
    experiment = shared.submit(spec(trials=2))
    [task] = worker.await_tasks(1)
    mail = Mail(
        experiment=experiment,
        number=0,
        segment=0,
        token=task.attempt.token,
        kind=MailKind.REPORTED,
        body=b'{"is": "what nobody knows"}',
    )
    assert shared.store.cluster.mail.post(first.life.keeper.session, [mail]) == []
    box = shared.store.cluster.mail
    eventually(lambda: not box.waiting([experiment], 1), LONG_S, "the mail to be read")
    worker.finish(task)
    task = worker.await_tasks(2)[1]
    worker.finish(task)
    shared.await_state(experiment, ExperimentState.COMPLETED)
    assert runs(first)


def test_next_attempt_at_a_cancelled_trial_is_cancelled_too(alone: Site) -> None:
    master = alone.master("one")
    worker = alone.worker(master, slots=1)
    experiment = alone.submit(spec(trials=1))
    [task] = worker.await_tasks(1)
    worker.start(task.attempt.token)
    alone.store.requests.cancel_trial(experiment, 0)
    eventually(worker.orders, LONG_S, "the order to cancel")
    worker.hang_up()  # it dies before it can follow
    other = alone.worker(master, "w2", slots=1)
    eventually(
        lambda: other.orders() or alone.record(experiment).state is ExperimentState.COMPLETED,
        LONG_S,
        "the order to cancel the next attempt, or its end before it began",
    )
    for again in other.tasks():
        assert again.attempt.token != task.attempt.token
        assert other.orders() == [(again.attempt.token, "cancel")]
