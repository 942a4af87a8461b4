"""Nothing waits at one master for what only the workers of another one can do."""

from __future__ import annotations

import statistics
import time

from tests.integration.engines.remote.scripted import ScriptedWorker, eventually
from tests.integration.master.cluster.masters import LONG_S, Site, driven, held, spec

from morphml.ids import ExperimentId
from morphml.search.experiment import EvaluatorReference, ExperimentState

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


def test_experiment_of_a_master_with_few_workers_gets_its_share_of_those_of_another(
    shared: Site,
) -> None:
    small = shared.master("small")
    shared.worker(small, "one", slots=1)
    poor = shared.submit(spec(trials=1_000))
    shared.await_driver(poor, small)
    large = shared.master("large")
    eight = shared.worker(large, "eight", slots=8, capabilities={"ssd": 1.0})
    neighbours = small.life._supervisor._duties.neighbours  # type: ignore[union-attr]  # it lives
    eventually(lambda: neighbours.could_run({"ssd": 1.0}), LONG_S, "the one to know of the other's")
    rich = shared.submit(spec(trials=1_000, resources={"ssd": 1.0}))
    shared.await_driver(rich, large)
    # At first all of its slots are lent; each end of a task may change who has them.
    seen: dict[str, list[int]] = {poor: [], rich: []}

    def each_has_its_share() -> bool:
        tokens = set(held(eight))
        here = [task for task in eight.tasks() if task.attempt.token in tokens]
        for experiment, counts in seen.items():
            counts.append(sum(task.attempt.owner == experiment for task in here))
        for task in here[:2]:
            eight.finish(task)
        time.sleep(0.1)
        # Half of all nine slots for each; one that is at home is the poor one's.
        usual = [statistics.median(counts[-20:]) for counts in seen.values()]
        return len(seen[poor]) >= 20 and all(3 <= slots <= 5 for slots in usual)

    eventually(each_has_its_share, LONG_S, "half of all slots for each")


def test_pickled_experiment_is_left_to_a_master_that_sends_pickles(shared: Site) -> None:
    plain = shared.master("plain")
    trusting = shared.master("trusting", allow_pickle=True)
    pickled = EvaluatorReference(kind="pickle", reference="lambda", bundle="0" * 64)
    for _ in range(4):
        experiment = shared.submit(spec(trials=5, evaluator=pickled))
        shared.await_driver(experiment, trusting)
        assert shared.record(experiment).state is ExperimentState.RUNNING
    assert driven(plain) == []


def test_pickled_experiment_that_no_master_sends_is_paused_with_the_reason(shared: Site) -> None:
    shared.master("plain")
    pickled = EvaluatorReference(kind="pickle", reference="lambda", bundle="0" * 64)
    experiment = shared.submit(spec(trials=5, evaluator=pickled))
    shared.await_state(experiment, ExperimentState.PAUSED)
    assert "--allow-pickle" in shared.record(experiment).reason
