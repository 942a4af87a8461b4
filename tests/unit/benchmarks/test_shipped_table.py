"""The table that comes with the package holds what is said of it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from morphml.benchmarks import digits_cells, key_of, play, with_workers
from morphml.benchmarks.cell_table import CellTable
from morphml.benchmarks.digits_cells import digits_cells_space, shipped

NETWORKS, SEEDS, EPOCHS = 1011, 3, 12
#: Of all right answers, little-endian: whatever else may be said of the file, these were trained.
DIGEST = "e9c166f0cb15b730de5d2c2f1ca81453cff0fd161121cc9668b6bbded9586134"
#: Highest test accuracy after all epochs, the mean of three trainings, in %.
BEST = 95.262


@pytest.fixture(scope="module")
def table() -> CellTable:
    return CellTable.read(shipped())


def test_table_holds_three_trainings_of_every_network_with_curves(table: CellTable) -> None:
    assert shipped().stat().st_size <= 2_000_000
    assert table.validation.shape == table.test.shape == (NETWORKS, SEEDS, EPOCHS)
    assert (table.made["seeds"], table.made["epochs"], table.made["data"]) == (3, 12, "digits")
    assert len(set(table.vectors)) == len(table.vectors) == 4**6
    assert set(table.network.tolist()) == set(range(NETWORKS))
    assert table.held == {"validation": 600, "test": 598}
    assert table.validation.max() <= 600 and table.test.max() <= 598
    assert (table.seconds > 0).all()


def test_answers_are_those_that_were_trained(table: CellTable) -> None:
    answers = b"".join(part.astype("<u2").tobytes() for part in (table.validation, table.test))
    assert hashlib.sha256(answers).hexdigest() == DIGEST
    last = table.accuracy("test")[:, -1]
    assert round(float(last.max()), 3) == BEST
    assert digits_cells().measures[0].best == pytest.approx(last.max())


def test_networks_learned_and_validation_tells_the_test(table: CellTable) -> None:
    first, last = table.accuracy("test")[:, 0], table.accuracy("test")[:, -1]
    weighty = table.params > table.params.min()
    assert (last[weighty] > first[weighty]).mean() > 0.95
    assert np.corrcoef(table.accuracy("validation")[:, -1], last)[0, 1] > 0.95
    # Three seeds: hardly any network came out the same twice, epoch by epoch.
    assert (table.test[:, 0] == table.test[:, 1]).all(axis=1).sum() < 10


def test_cells_share_the_row_of_the_network_that_they_build(table: CellTable) -> None:
    space = digits_cells_space()
    known: dict[int, str] = {}
    for place in range(0, len(table.vectors), 31):
        member, row = space.architecture(table.vectors[place]), int(table.network[place])
        assert (member.params, member.flops) == (table.params[row], table.flops[row])
        assert known.setdefault(row, str(member.graph_id)) == member.graph_id
    assert len(set(known.values())) == len(known) < 4**6 // 31


@pytest.mark.parametrize("protocol", ["direct", "validation", "cheap", "cheap-6", "size"])
def test_every_protocol_is_searched_without_any_file(protocol: str) -> None:
    problem = digits_cells(protocol)
    run = play(problem, key_of(problem, "evolution", 0, 60))
    assert (run.evaluations, run.vectors, run.failed) == (60, 60, 0)
    assert 0.0 <= run.verdict[-1] < run.verdict[0]


def test_rule_of_fidelity_tries_more_cells_for_the_same_epochs() -> None:
    problem = with_workers(digits_cells("validation"), 8)
    runs = {name: play(problem, key_of(problem, name, 0, 30)) for name in ("random", "asha")}
    assert {run.evaluations for run in runs.values()} == {30}
    assert runs["asha"].vectors > 2 * runs["random"].vectors == 60
