"""Tables of one's own, in every format, as problems and as evaluators."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from morphml.benchmarks import key_of, play, table
from morphml.errors import CallerError, MissingExtraError

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


def test_parquet_is_read_as_a_csv_is(tmp_path: Path, csv: Path) -> None:
    import pandas as pd  # not for each process that collects these tests

    frame = pd.read_csv(csv)
    frame["act"] = frame["act"].astype("category")
    frame.to_parquet(tmp_path / "runs.parquet")
    goals = {"decisions": ["width", "act"], "objectives": {"error": "min"}}
    ours, theirs = table(tmp_path / "runs.parquet", **goals), table(csv, **goals)
    assert ours.space == theirs.space and ours.measures == theirs.measures
    members = list(ours.space.members())
    assert [ours.look_up(each) for each in members] == [theirs.look_up(each) for each in members]
    assert sum(ours.look_up(each) is not None for each in members) == len(frame)
    (tmp_path / "runs.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(CallerError, match="is no parquet file"):
        table(tmp_path / "runs.parquet", **goals)


def test_parquet_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    file = tmp_path / "runs.parquet"
    file.write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match=r"pip install 'morphml\[tables\]'"):
        table(file, decisions=["a"], objectives={"b": "min"})


@pytest.mark.parametrize(
    ("decisions", "objectives", "said"),
    [
        (["depth"], {"error": "min"}, "no column 'depth'; there are width, act, error, ms"),
        (["act"], {"error": "min"}, "rows 1 and 3 have the same decisions"),
        (["width", "error"], {"act": "min"}, "'act' is an objective, but"),
        ([], {"error": "min"}, "name at least one column"),
        (["width", "width"], {"error": "min"}, "'width' is named twice"),
        (["width", "error"], {"error": "min"}, "'error' is named twice"),
    ],
)
def test_mistakes_are_named(
    csv: Path, decisions: list[str], objectives: dict[str, str], said: str
) -> None:
    with pytest.raises(CallerError, match=said):
        table(csv, decisions=decisions, objectives=objectives)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,e\n1,.3\n,.4\n", "row 2 has no value of decision 'a', got ''"),
        ("a,e\n1,.3\nnan,.4\n", "row 2 has no value of decision 'a', got nan"),
        ("a,e\n1,.3\n\n2\n", "line 4 has 1 cells for 2 columns"),
        ("a,e\n1,.3,5\n", "line 2 has 3 cells for 2 columns"),
        ("a,a,e\n1,2,.3\n", "several columns 'a'"),
        ('a,e\n"1,.3\n', "is no CSV file"),
        ("a,e\n", "the table has no row"),
        ("", "no column 'a', 'e'; there are none"),
        ("a,e\n1,\n2,nan\n", "'e' is an objective, but holds no number"),
    ],
)
def test_gaps_and_ragged_rows_are_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "runs.csv"
    file.write_text(text)
    with pytest.raises(CallerError, match=said):
        table(file, decisions=["a"], objectives={"e": "min"})


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    file.write_bytes("a,e\n\xe9,.3\n".encode("latin-1"))
    with pytest.raises(CallerError, match="UTF-8"):
        table(file, decisions=["a"], objectives={"e": "min"})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.array([1j, 2]), r"row 1: decision 'a' is 1j"),
        (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), "row 1: decision 'a' is datetime"),
        (np.array([1.0, np.inf]), "row 2 has no value of decision 'a', got inf"),
        (np.array([1, None], object), r"'a' was saved as Python objects"),
        (np.ones((2, 2)), r"'a' has shape \(2, 2\)"),
        (np.ones(3), "columns of several lengths"),
    ],
)
def test_arrays_that_are_no_decisions_are_named(
    tmp_path: Path, values: np.ndarray, said: str
) -> None:
    np.savez(tmp_path / "runs.npz", a=values, e=np.array([0.1, 0.2]))
    with pytest.raises(CallerError, match=said):
        table(tmp_path / "runs.npz", decisions=["a"], objectives={"e": "min"})


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "runs.xlsx"
    file.write_bytes(b"")
    with pytest.raises(CallerError, match=r"\.npz, \.csv or \.parquet"):
        table(file, decisions=["a"], objectives={"b": "min"})
    with pytest.raises(CallerError, match="no such file"):
        table(tmp_path / "none.csv", decisions=["a"], objectives={"b": "min"})
