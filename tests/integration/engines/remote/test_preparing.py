"""Workers load an experiment before its first task: counted in their processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import KeptRecords
from tests.integration.engines.remote.test_worker_with_hub import EXPERIMENT, message, serving
from tests.integration.engines.remote.worker_processes import HERE, WorkerProcess, Workers

from morphml.engines.remote.messages import ContextMessage
from morphml.evaluation.bundle import pack
from morphml.ids import ExperimentId

OTHER = ExperimentId("other")


@pytest.fixture
def records(tmp_path: Path) -> KeptRecords:
    kept = KeptRecords(tmp_path / "artifacts")
    kept.contexts[EXPERIMENT] = message("preparing_evaluators:counted")
    return kept


def set_up(*started: WorkerProcess) -> int:
    return sum(len(worker.lines("setup")) for worker in started)


def bundled(tmp_path: Path, records: KeptRecords) -> ContextMessage:
    """The same evaluator as a bundle that no worker has."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "travels.py").write_text((HERE / "preparing_evaluators.py").read_text())
    bundle = pack(code)
    records.bundles[bundle.digest] = bundle.data
    plain = message("travels:counted")
    return ContextMessage(
        experiment=OTHER,
        space=plain.space,
        evaluator=plain.evaluator,
        bundle=bundle.digest,
        required=plain.required,
        digest=bundle.digest,
    )


def test_first_tasks_begin_in_children_that_have_loaded_the_experiment(
    records: KeptRecords, workers: Workers
) -> None:
    with serving(records) as master:
        started = [workers.start(master.hub.port, slots=2) for _ in range(2)]
        master.pump(lambda: set_up(*started) == 4)  # without a single task
        assert not master.started()
        master.finish(*[master.submit(number) for number in range(20)])
    calls = [line[0] for worker in started for line in worker.lines("call")]
    assert len(calls) == 20
    assert set_up(*started) == 4, "a child loaded the experiment again"
    assert set(calls) <= {line[0] for worker in started for line in worker.lines("setup")}


def test_code_that_has_to_travel_is_there_before_the_first_task(
    records: KeptRecords, workers: Workers, tmp_path: Path
) -> None:
    records.contexts[OTHER] = bundled(tmp_path, records)
    with serving(records) as master:
        started = [workers.start(master.hub.port, slots=2) for _ in range(2)]
        master.pump(lambda: set_up(*started) == 4)
        lane = master.hub.lane(OTHER, master.hub.slots)
        lane.prepare(OTHER, None)  # type: ignore[arg-type]  # it asks the records
        # Free children give way, since nothing of the first experiment runs.
        # More where a busy machine had a worker come back, which gets everything ready again.
        master.pump(lambda: set_up(*started) >= 8)
        assert not lane.events(0.0)


def test_worker_that_joins_later_gets_ready_when_it_does(
    records: KeptRecords, workers: Workers
) -> None:
    with serving(records) as master:
        first = workers.start(master.hub.port, slots=1)
        master.pump(lambda: set_up(first) == 1)
        second = workers.start(master.hub.port, slots=3)
        master.pump(lambda: set_up(second) == 3)


def test_worker_that_never_gets_ready_does_not_keep_the_others_from_beginning(
    records: KeptRecords, workers: Workers
) -> None:
    records.contexts[OTHER] = message("preparing_evaluators:stuck", OTHER)
    with serving(records, prepare_within_s=300.0) as master:
        sick, first, second = (workers.start(master.hub.port, slots=1) for _ in range(3))
        master.pump(lambda: set_up(sick, first, second) == 3)
        lane = master.hub.lane(OTHER, master.hub.slots)
        lane.prepare(OTHER, None)  # type: ignore[arg-type]  # it asks the records
        master.lane, master.experiment = lane, OTHER
        tokens = [master.submit(number) for number in range(3)]
        master.pump(lambda: len(master.ends()) == 2)  # long before the time to get ready is over
        assert set(master.ends()) < set(tokens)
    assert not sick.lines("call")
