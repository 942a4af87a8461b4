"""Pauses, resumes and spent time, while attempts run here, elsewhere, or nowhere."""

from __future__ import annotations

from tests.integration.engines.remote.scripted import eventually
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site, spec

from morphml.master.cluster.reports import MasterReport
from morphml.master.recovery import fresh_machine
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.lending import Pool
from morphml.search.changes import ClaimedTask
from morphml.search.experiment import Budget, ExperimentState, TrialState
from morphml.search.replay import check_replay
from morphml.storage import TaskState
from morphml.storage.cluster import Mail, MailKind


def test_spent_time_ends_a_search_that_has_lost_all_its_workers(alone: Site) -> None:
    master = alone.master("one")
    worker = alone.worker(master, slots=1)
    experiment = alone.submit(spec(budget=Budget(trials=100, timeout_s=5.0)))
    [task] = worker.await_tasks(1)
    worker.start(task.attempt.token)
    worker.hang_up()
    alone.await_state(experiment, ExperimentState.COMPLETED)
    assert [each.state for each in alone.store.trials(experiment)] == [TrialState.CANCELLED]
    assert alone.tasks(experiment) == {}


def test_what_ended_during_a_pause_counts_after_it_and_runs_once(alone: Site) -> None:
    master = alone.master("one")
    worker = alone.worker(master, slots=2)
    experiment = alone.submit(spec(trials=2))
    first, second = worker.await_tasks(2)
    worker.start(first.attempt.token)
    worker.start(second.attempt.token)
    alone.store.set_state(experiment, ExperimentState.PAUSED, "a test")
    alone.await_state(experiment, ExperimentState.PAUSED)
    worker.finish(first)
    counts = alone.store.task_counts
    eventually(
        lambda: counts(experiment) == {TaskState.ENDED: 1, TaskState.LEASED: 1},
        LONG_S,
        "the end to be stored",
    )
    eventually(lambda: first.attempt.token in worker.acknowledged(), LONG_S, "its thanks")
    alone.store.cluster.submit(experiment)
    alone.await_driver(experiment, master)
    worker.finish(second)
    alone.await_state(experiment, ExperimentState.COMPLETED)
    assert len(alone.attempts(experiment)) == 2
    assert len(worker.tasks()) == 2


def test_what_another_master_runs_ends_during_a_pause_and_counts_after_it(shared: Site) -> None:
    one = shared.master("one")
    wanted = spec(trials=4, deterministic=True, workers=2)
    experiment = shared.submit(wanted)
    shared.await_driver(experiment, one)
    two = shared.master("two")
    worker = shared.worker(two, slots=2)
    done: set[str] = set()
    paused = False
    for _ in range(600):
        for task in worker.tasks():
            if task.attempt.token not in done:
                done.add(task.attempt.token)
                if not paused and len(done) == 3:
                    paused = True
                    shared.store.set_state(experiment, ExperimentState.PAUSED, "a test")
                    shared.await_state(experiment, ExperimentState.PAUSED)
                    worker.finish(task)
                    eventually(
                        lambda: TaskState.ENDED in shared.store.task_counts(experiment),
                        LONG_S,
                        "the end to be stored",
                    )
                    shared.store.cluster.submit(experiment)
                    continue
                worker.finish(task)
        if shared.record(experiment).state is ExperimentState.COMPLETED:
            break
        eventually(
            lambda: (
                {task.attempt.token for task in worker.tasks()} - done
                or shared.record(experiment).state is ExperimentState.COMPLETED
            ),
            LONG_S,
            f"more; {shared.record(experiment)}",
        )
    assert paused
    assert len(shared.attempts(experiment)) == 4
    machine = fresh_machine(wanted, SPACE)
    assert check_replay(machine, shared.store.log(experiment)).passed


def test_end_that_cannot_be_read_here_is_a_failed_attempt_and_the_trial_runs_again(
    shared: Site,
) -> None:
    store = shared.store
    one = shared.master("one")
    # A master of a later version, as far as this one can tell.
    later = store.open_session("later")
    store.cluster.report(later, MasterReport(pool=Pool(slots=1)).to_json())
    experiment = shared.submit(spec(trials=1))
    shared.await_driver(experiment, one)
    claimed: list[ClaimedTask] = []
    eventually(
        lambda: claimed or claimed.extend(store.cluster.claim_any(later, 1)), LONG_S, "its task"
    )
    [task] = claimed
    mail = Mail(
        experiment=experiment,
        number=task.number,
        segment=task.segment,
        token=task.token,
        kind=MailKind.FINISHED,
        body=b'{"outcome": "in words of a later version"}',
    )
    assert store.cluster.mail.post(later, [mail]) == []
    eventually(lambda: shared.attempts(experiment), LONG_S, "the end of the attempt")
    worker = shared.worker(one, slots=1)
    [again] = worker.await_tasks(1)
    assert (again.attempt.number, again.attempt.token != task.token) == (task.number, True)
    worker.finish(again)
    shared.await_state(experiment, ExperimentState.COMPLETED)
    failed, succeeded = shared.attempts(experiment)
    assert failed.failure is not None
    assert failed.failure["kind"] == FailureKind.INFRASTRUCTURE
    assert succeeded.failure is None
    assert [each.state for each in store.trials(experiment)] == [TrialState.COMPLETED]
