from __future__ import annotations

import numpy as np
import pytest
from tests.unit.benchmarks.cells import EPOCHS, made_up

from morphml.benchmarks import digits_cells
from morphml.benchmarks.cell_table import CellTable
from morphml.benchmarks.digits_cells import digits_cells_space
from morphml.errors import CallerError
from morphml.evaluation import Order, Segment, Trial


@pytest.fixture
def file(tmp_path):
    made_up().save(tmp_path / "cells.npz")
    return tmp_path / "cells.npz"


def test_table_comes_back_as_it_was_saved(file):
    table, saved = CellTable.read(file), made_up()
    assert table.edges == saved.edges and table.made == saved.made and table.held == saved.held
    for name in ("cells", "network", "validation", "test", "params", "flops", "seconds"):
        assert np.array_equal(getattr(table, name), getattr(saved, name)), name
    assert [each.name for each in file.parent.iterdir()] == ["cells.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no table at all"])
def test_file_that_is_no_table_is_refused(tmp_path, content):
    file = tmp_path / "other.npz"
    file.write_bytes(content)
    with pytest.raises(CallerError, match="is no table"):
        digits_cells(path=file)
    np.savez(file, width=np.arange(3))
    with pytest.raises(CallerError, match="is no table"):
        digits_cells(path=file)
    with pytest.raises(CallerError, match="no such file"):
        digits_cells(path=tmp_path / "none.npz")


def test_look_up_is_the_mean_of_the_trainings(file):
    table = made_up()
    problem = digits_cells(path=file)
    for place in (0, 77, 255):
        found = problem.look_up(problem.space.architecture(table.vectors[place]))
        assert found == {"test": pytest.approx(100 * table.test[place, :, -1].mean() / 500)}
    assert problem.look_up(problem.space.architecture((3,) * 6)) is None
    assert problem.measures[0].best == pytest.approx(100 * table.test[:, :, -1].mean(1).max() / 500)


def test_cheap_protocol_sees_few_epochs_and_is_judged_by_the_test(file):
    table = made_up()
    problem = digits_cells("cheap-6", path=file)
    assert problem.name == "digits-cells/digits/cheap-6" and problem.curves is None
    assert list(problem.objectives) == ["validation"] and problem.verdict == "test"
    found = problem.look_up(problem.space.architecture(table.vectors[9]))
    assert found["validation"] == pytest.approx(100 * table.validation[9, :, 5].mean() / 600)
    three = digits_cells("cheap", path=file).look_up(problem.space.architecture(table.vectors[9]))
    assert three["validation"] < found["validation"] and three["test"] == found["test"]


def test_size_protocol_has_a_front(file):
    problem = digits_cells("size", path=file)
    assert problem.objectives == {"test": "max", "weights": "min"}
    assert problem.hypervolume > 0 and problem.verdict == "hypervolume"


@pytest.mark.parametrize("protocol", ["cheap-0", "cheap-9", "cheap-", "latency", "cheap-99999999"])
def test_unknown_protocol_is_refused(file, protocol):
    with pytest.raises(CallerError, match="N from 1 to 8"):
        digits_cells(protocol, path=file)


def test_networks_are_members_of_the_space_of_networks(file):
    problem = digits_cells(path=file, space="networks")
    assert problem.space == digits_cells_space()
    first = problem.space.architecture((0,) * 6)
    plain = digits_cells(path=file)
    assert problem.look_up.network(first) == first.graph_id
    assert plain.look_up.network(plain.space.architecture((0,) * 6)) == first.graph_id
    with pytest.raises(CallerError, match="'decisions' or 'networks'"):
        digits_cells(path=file, space="cells")


class Listening:
    """A channel that stops a trial at a step."""

    def __init__(self, stop_at):
        self.reports = []
        self._stop_at = stop_at

    def report(self, step, metrics):
        self.reports.append((step, dict(metrics)))
        return Order.STOP if step == self._stop_at else Order.CONTINUE

    def order(self):
        return Order.CONTINUE


def test_curve_is_reported_epoch_by_epoch_through_the_evaluator_contract(file):
    problem = digits_cells("validation", path=file)
    member = problem.space.architecture((0, 0, 1, 0, 2, 3))
    channel = Listening(None)
    segment = Segment(number=0, seed=0, device="cpu", attempt_id="a", to_epoch=EPOCHS)
    result = problem(member, Trial(segment, {}, channel))
    curve = problem.curves(member)
    assert channel.reports == [(n + 1, dict(m)) for n, m in enumerate(curve.metrics)]
    assert len(channel.reports) == EPOCHS and result == channel.reports[-1][1]
    assert result == problem.look_up(member)
