"""A result draws itself: each picture shows the trials that it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

import morphml as mm
from morphml.master import Result


@pytest.fixture(scope="module")
def result() -> Result:
    space = mm.SearchSpace(decisions={"alpha": mm.integer(0, 9), "beta": mm.integer(0, 9)})

    def evaluate(arch, trial):
        return {"loss": float(arch.decisions["alpha"]), "cost": float(arch.decisions["beta"])}

    return mm.search(
        space, evaluate, objectives={"loss": "min", "cost": "min"}, trials=30, workers=0
    )


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("plot_convergence", ["loss"]),
        ("plot_pareto", ["loss", "cost"]),
        ("plot_importance", ["alpha", "beta"]),
        ("plot_decisions", ["alpha", "beta"]),
    ],
)
def test_result_draws_a_picture_that_names_what_it_shows(
    method: str, words: list[str], result: Result, tmp_path: Path
) -> None:
    path = tmp_path / "picture.svg"
    getattr(result, method)().save(path)
    drawn = path.read_text(encoding="utf-8")
    assert drawn.lstrip().startswith("<")
    assert [word for word in words if word not in drawn] == []
