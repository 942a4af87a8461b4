"""What people see of a search without a result."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

import morphml as mm
from morphml.cli.outcome import result_view

SPACE = mm.SearchSpace(decisions={"x": mm.integer(1, 50)})


def returns_nothing(arch: mm.Architecture, trial: mm.Trial) -> None:
    return None


def divides(arch: mm.Architecture, trial: mm.Trial) -> float:
    return 1 / 0


@pytest.mark.parametrize(
    ("evaluator", "constraints", "lines_of_ours"),
    [(returns_nothing, None, 0), (divides, {"x": "<= 40"}, 1)],
)
def test_search_without_a_result_says_why_once(
    evaluator: object, constraints: dict[str, str] | None, lines_of_ours: int
) -> None:
    result = mm.search(
        SPACE, evaluator, objectives={"score": "max"}, constraints=constraints, trials=4, workers=0
    )
    screen = StringIO()
    Console(file=screen, width=200).print(result_view(result, "a.db"))
    text = screen.getvalue()
    assert ("no trial has a result within the constraints" in text) == bool(constraints)
    assert text.count("Traceback") == lines_of_ours
    assert "no trial has a result" in text
