"""What must not get lost, run twice, or wait for ever when answers, workers and masters move."""

from __future__ import annotations

import time

from tests.integration.engines.remote.scripted import eventually, named
from tests.integration.master.cluster.masters import LONG_S, Site, driven, spec

from morphml.search.changes import AttemptResult
from morphml.search.experiment import ExperimentState, TrialState


def test_search_with_one_worker_ends(alone: Site) -> None:
    master = alone.master("one")
    worker = alone.worker(master)
    experiment = alone.submit(spec(trials=3))
    for count in (1, 2, 3):
        task = worker.await_tasks(count)[count - 1]
        worker.start(task.attempt.token)
        worker.finish(task, metrics={"score": float(count)})
    alone.await_state(experiment, ExperimentState.COMPLETED)
    assert len(alone.attempts(experiment)) == 3


def test_task_that_was_claimed_for_the_driver_and_never_sent_is_run_after_all(alone: Site) -> None:
    """As when a claim is stored and its answer is lost with the connection."""
    master = alone.master("one")
    experiment = alone.submit(spec(trials=1))
    alone.await_driver(experiment, master)
    worker = alone.worker(master, slots=1)
    [task] = worker.await_tasks(1)
    # Its worker leaves before it begins: the task goes back, and waits for another worker.
    worker.hang_up()
    eventually(lambda: alone.tasks(experiment)[0].token is None, LONG_S, "the task to go back")
    session = master.life.keeper.session
    [claimed] = alone.store.claim(experiment, session, limit=1)
    eventually(lambda: alone.tasks(experiment)[0].token is None, LONG_S, "that nobody runs it")
    again = alone.worker(master, "w2", slots=1)
    [task] = again.await_tasks(1)
    assert task.attempt.token != claimed.token
    again.start(task.attempt.token)
    again.finish(task)
    alone.await_state(experiment, ExperimentState.COMPLETED)


def test_worker_that_goes_to_another_master_goes_on_with_what_it_runs(shared: Site) -> None:
    first = shared.master("first")
    worker = shared.worker(first, slots=1)
    experiment = shared.submit(spec(trials=1))
    [task] = worker.await_tasks(1)
    worker.start(task.attempt.token)
    second = shared.master("second")
    worker.hang_up()
    moved = shared.worker(second, slots=1, attempts=(named(task),))
    eventually(lambda: task.attempt.token in moved.kept(), LONG_S, "its new master to adopt it")
    assert experiment in driven(first)
    eventually(
        lambda: all(each.state == "lost" for each in first.hub.workers()),
        LONG_S,
        "the first master to give the worker up",
    )
    time.sleep(1.0)  # time for its driver to make something of that
    moved.finish(task)
    shared.await_state(experiment, ExperimentState.COMPLETED)
    assert [each.result for each in shared.attempts(experiment)] == [AttemptResult.SUCCEEDED]
    assert [each.state for each in shared.store.trials(experiment)] == [TrialState.COMPLETED]
