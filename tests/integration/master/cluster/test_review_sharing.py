"""Nothing waits at one master for what only the workers of another one can do."""

from __future__ import annotations

import time

from tests.integration.engines.remote.scripted import ScriptedWorker, eventually
from tests.integration.master.cluster.masters import LONG_S, Site, driven, spec

from morphml.ids import ExperimentId
from morphml.search.experiment import ExperimentState

GPU = {"gpu": 1.0}


def run_all(site: Site, experiment: ExperimentId, *workers: ScriptedWorker) -> None:
    """Finish whatever the workers get, until the experiment is completed."""
    done: set[str] = set()
    end = time.monotonic() + LONG_S
    while site.record(experiment).state is not ExperimentState.COMPLETED:
        assert time.monotonic() < end, (site.record(experiment), site.tasks(experiment))
        for worker in workers:
            for task in worker.tasks():
                if task.attempt.token not in done:
                    done.add(task.attempt.token)
                    worker.finish(task)
        time.sleep(0.05)


def test_experiment_whose_master_has_no_fit_worker_runs_at_another(shared: Site) -> None:
    first = shared.master("first")
    plain = shared.worker(first, "plain", slots=2)
    experiment = shared.submit(spec(trials=5, resources=GPU))
    shared.await_driver(experiment, first)
    eventually(lambda: shared.tasks(experiment), LONG_S, "tasks that wait for a worker with a GPU")
    second = shared.master("second")
    fit = shared.worker(second, "fit", slots=2, capabilities=GPU)
    run_all(shared, experiment, fit)
    assert plain.tasks() == []
    assert shared.record(experiment).next_number == 5


def test_master_takes_no_task_that_no_single_worker_of_its_can_run(shared: Site) -> None:
    first = shared.master("first")
    shared.worker(first, "all", slots=1, capabilities={"gpu": 1.0, "ssd": 1.0})
    experiment = shared.submit(spec(trials=4, resources={"gpu": 1.0, "ssd": 1.0}))
    shared.await_driver(experiment, first)
    second = shared.master("second")
    one = shared.worker(second, "one", slots=4, capabilities={"gpu": 1.0})
    two = shared.worker(second, "two", slots=4, capabilities={"ssd": 1.0})
    run_all(shared, experiment, *shared.workers)
    assert one.tasks() == two.tasks() == []
    assert not second.wait(0.0)


def test_master_without_workers_leaves_a_new_experiment_to_one_that_has_some(
    shared: Site,
) -> None:
    bare = shared.master("bare")
    busy = shared.master("busy")
    worker = shared.worker(busy, slots=2)
    neighbours = bare.life._supervisor._duties.neighbours  # type: ignore[union-attr]  # it lives
    eventually(lambda: neighbours.could_run({}), LONG_S, "the one to know of the other's worker")
    long = shared.submit(spec(trials=1_000))
    shared.await_driver(long, busy)
    eventually(lambda: len(worker.tasks()) == 2, LONG_S, "both slots to be in use")
    other = shared.submit(spec(trials=2))
    shared.await_driver(other, busy)
    run_all(shared, other, worker)
    assert driven(bare) == []


def test_nobody_counts_on_a_worker_that_has_left(shared: Site) -> None:
    first = shared.master("first")
    shared.worker(first, slots=1)
    second = shared.master("second")
    lent = shared.worker(second, "w2", slots=8)
    experiment = shared.submit(spec(trials=1_000))
    eventually(lambda: len(shared.tasks(experiment)) >= 9, LONG_S, "tasks for the lent slots")
    lent.hang_up()
    rows = shared.store.cluster.workers
    eventually(
        lambda: [row.figures["slots"] for row in rows.all() if row.id == "w2"] == [0],
        LONG_S,
        "the store to hear of it",
    )
