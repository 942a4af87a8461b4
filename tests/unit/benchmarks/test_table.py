"""Tables of one's own, in every format, as problems and as evaluators."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from morphml.benchmarks import key_of, play, table
from morphml.errors import CallerError

ROWS = [
    (8, "relu", 0.3),
    (8, "tanh", 0.4),
    (16, "relu", 0.1),
    (16, "tanh", 0.25),
    (32, "relu", 0.2),
]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "runs.csv"
    lines = ["width,act,error,ms", *(f"{w},{a},{e},{w / 4}" for w, a, e in ROWS)]
    file.write_text("\n".join(lines) + "\n")
    return file


def npz_of(folder: Path) -> Path:
    file = folder / "runs.npz"
    width, act, error = (np.array(column) for column in zip(*ROWS, strict=True))
    np.savez(file, width=width, act=act, error=error)
    return file


def test_csv_and_npz_of_the_same_rows_are_the_same_problem(csv: Path, tmp_path: Path) -> None:
    wanted = {"decisions": ["width", "act"], "objectives": {"error": "min"}}
    one, other = table(csv, **wanted), table(npz_of(tmp_path), **wanted)
    assert one.space == other.space
    assert one.look_up.digest == other.look_up.digest
    assert [d.options for d in one.space.decisions] == [(8, 16, 32), ("relu", "tanh")]
    assert one.measures[0].best == 0.1


def test_every_row_is_found_and_the_missing_one_fails(csv: Path) -> None:
    problem = table(csv, decisions=["width", "act"], objectives={"error": "min"})
    for width, act, error in ROWS:
        member = problem.space.member({"width": width, "act": act})
        assert problem(member, None) == {"error": error}
    with pytest.raises(LookupError, match="32"):
        problem(problem.space.member({"width": 32, "act": "tanh"}), None)


def test_search_of_a_whole_table_looks_each_point_up_once_and_counts_the_gap(csv: Path) -> None:
    problem = table(csv, decisions=["width", "act"], objectives={"error": "min"})
    run = play(problem, key_of(problem, "random", 0, 100))
    assert (run.evaluations, run.vectors, run.failed) == (6, 6, 1)
    assert run.networks is None
    assert run.verdict[-1] == 0.0


def test_two_objectives_are_judged_by_the_share_of_the_front(csv: Path) -> None:
    problem = table(csv, decisions=["width", "act"], objectives={"error": "min", "ms": "min"})
    assert problem.reference == (0.4, 8.0)
    # (0.3, 2) and (0.1, 4): 0.1 * 2 + 0.3 * 4 below the reference.
    assert problem.hypervolume == pytest.approx(1.4)
    run = play(problem, key_of(problem, "nsga2", 0, 6))
    assert run.verdict[-1] == pytest.approx(0.0)


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is here")
def test_parquet_without_its_package_says_what_to_install(tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    file.write_bytes(b"PAR1")
    with pytest.raises(CallerError, match="pip install pyarrow"):
        table(file, decisions=["a"], objectives={"b": "min"})


@pytest.mark.parametrize(
    ("decisions", "objectives", "said"),
    [
        (["depth"], {"error": "min"}, "no column 'depth'; there are width, act, error, ms"),
        (["act"], {"error": "min"}, "rows 1 and 3 have the same decisions"),
        (["width", "error"], {"act": "min"}, "'act' is an objective, but"),
        ([], {"error": "min"}, "name at least one column"),
    ],
)
def test_mistakes_are_named(
    csv: Path, decisions: list[str], objectives: dict[str, str], said: str
) -> None:
    with pytest.raises(CallerError, match=said):
        table(csv, decisions=decisions, objectives=objectives)


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "runs.xlsx"
    file.write_bytes(b"")
    with pytest.raises(CallerError, match=r"\.npz, \.csv or \.parquet"):
        table(file, decisions=["a"], objectives={"b": "min"})
    with pytest.raises(CallerError, match="no such file"):
        table(tmp_path / "none.csv", decisions=["a"], objectives={"b": "min"})
