"""Masters that do not share a folder: a trial that waits goes on at another one's worker."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, WorkerProcess, Workers
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site

import morphml as mm
from morphml.evaluation.checkpoint import file_digest
from morphml.master.cluster.exchange import CheckpointExchange, folder_name
from morphml.master.cluster.reports import MasterReport
from morphml.search.experiment import ExperimentState, TrialState
from morphml.storage import open_store
from morphml.storage.cluster.bundles import LARGEST_BYTES

TRIALS = 9


def trained(*workers: WorkerProcess) -> list[tuple[int, int]]:
    """Trial and epoch of all that these workers trained."""
    rows = [line.split() for each in workers for line in each.tally.read_text().splitlines()]
    return [(int(number), int(word.partition("-")[2])) for word, number, *_ in rows]


def rested(site: Site, experiment: mm.Experiment) -> set[int]:
    return {row.number for row in site.store.trials(experiment.id) if row.state == "paused"}


@pytest.mark.parametrize("driver", [pytest.param("stays", marks=pytest.mark.slow), "dies"])
def test_trials_go_on_from_their_checkpoints_at_masters_with_other_folders(
    driver: str, shared: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker trains to the first rung, and one of another master further."""
    monkeypatch.syspath_prepend(str(HERE))
    first = shared.master("first")
    workers = Workers(tmp_path)
    here = workers.start(first.port, slots=1)
    with mm.Experiment.create(
        SPACE,
        "remote_training:by_epochs_two_at_first",
        storage=shared.storage,
        engine="remote",
        optimizer="asha",
        trials=TRIALS,
        max_epochs=9,
        objectives={"score": "max"},
    ) as experiment:
        experiment.submit()
        shared.await_driver(experiment.id, first)
        other = shared.master("other")
        eventually(lambda: len(rested(shared, experiment)) == 2, LONG_S, "two trials at a rung")
        here.process.kill()
        here.wait()
        before = trained(here)
        assert len(before) == 2
        (tmp_path / "go").touch()
        if driver == "dies":
            first.stop()
        there = workers.start(other.port, slots=1)
        try:
            over = ExperimentState.COMPLETED
            eventually(lambda: shared.record(experiment.id).state is over, 3 * LONG_S, "its end")
        finally:
            there.process.kill()
            there.wait()
        records = experiment.result().records
    assert Counter(record.epochs for record in records) == {1: 6, 3: 2, 9: 1}
    assert not [record for record in records if record.state is TrialState.FAILED]
    (best,) = [record for record in records if record.state is TrialState.COMPLETED]
    assert best.metrics["score"] == best.epochs == 9  # as many as its weights were trained
    after = trained(there)
    assert {number for number, epoch in after if epoch > 1} & {number for number, _ in before}
    assert not set(before) & set(after), "what lies at a rung is not trained again"
    assert max(Counter(after).values()) == 1


def test_folder_has_one_name_for_all_who_see_it(tmp_path: Path) -> None:
    name = folder_name(tmp_path / "a")
    assert len(name) == 32
    assert folder_name(tmp_path / "a") == name
    assert folder_name(tmp_path / "b") not in ("", name)
    assert len(list((tmp_path / "a").iterdir())) == 1
    (tmp_path / "file").touch()
    assert folder_name(tmp_path / "file") == ""


def test_checkpoint_is_kept_for_masters_with_other_folders_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, there = tmp_path / "1.pt", tmp_path / "there" / "1.pt"
    path.write_bytes(b"weights" * 1_000_000)  # several pieces
    digest = file_digest(path)
    with closing(open_store(tmp_path / "s.db")) as store:
        one, two = (store.open_session(name) for name in ("one", "two"))
        exchange = CheckpointExchange(store, one, "a")
        for place, apart in (("", False), ("a", False), ("b", True)):
            store.cluster.report(two, MasterReport(place=place).to_json())
            assert exchange.put(digest, path) is apart
            assert exchange.get(digest, there) is apart
        assert there.read_bytes() == path.read_bytes()
        exchange.drop([digest, "0" * 32])
        assert not exchange.get(digest, there)
        with path.open("ab") as file:
            file.truncate(LARGEST_BYTES + 1)
        for _ in range(2):
            assert not exchange.put(file_digest(path), path)
    lines = [record.getMessage() for record in caplog.records if "1.pt" in record.getMessage()]
    assert len(lines) == 1
    assert "let all masters share one folder" in lines[0]
    assert [file.name for file in there.parent.iterdir()] == ["1.pt"]
