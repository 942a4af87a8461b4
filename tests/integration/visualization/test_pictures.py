"""Every picture draws from ordinary, empty and odd histories, as SVG and PNG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from morphml.errors import CallerError
from morphml.graph import OPERATIONS, ModelGraph
from morphml.search.objectives import parse_objectives
from morphml.visualization import (
    Plot,
    TrialPoint,
    plot_architecture,
    plot_comparison,
    plot_convergence,
    plot_importance,
    plot_parallel,
    plot_pareto,
)

OBJECTIVES = parse_objectives({"accuracy": "max", "params": "min"})
Draw = Callable[[Sequence[TrialPoint]], Plot]
PICTURES: dict[str, Draw] = {
    "by trial": lambda points: plot_convergence(points, OBJECTIVES[0]),
    "by time": lambda points: plot_convergence(points, OBJECTIVES[0], by="time"),
    "pareto": lambda points: plot_pareto(points, OBJECTIVES),
    "importance": lambda points: plot_importance(points, OBJECTIVES[0]),
    "comparison": lambda points: plot_comparison({"a": points, "b $": points}, OBJECTIVES[0]),
    "parallel": lambda points: plot_parallel(points, OBJECTIVES[0]),
}
FAILED = TrialPoint(number=99, state="failed", decisions={"a": 1})


def history(count: int) -> list[TrialPoint]:
    return [
        TrialPoint(
            number=i,
            metrics={"accuracy": 0.5 + (i * 7 % 10) / 30, "params": 1000.0 * (1 + i % 5)},
            decisions={"body/0/a": i % 3, "op": "relu()", **({"deep": i} if i % 2 else {})},
            ended_s=10.0 * i,
            feasible=i % 4 > 0,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("points", [[], [FAILED], history(1), history(2), [*history(20), FAILED]])
def test_picture_is_a_well_formed_svg_whatever_the_history(
    name: str, points: list[TrialPoint]
) -> None:
    root = ET.fromstring(PICTURES[name](points).svg())
    assert root.tag.endswith("svg")


@pytest.mark.parametrize("name", PICTURES)
def test_picture_of_the_same_points_is_the_same_text(name: str) -> None:
    assert PICTURES[name](history(15)).svg() == PICTURES[name](history(15)).svg()


def test_axes_say_what_they_show_with_units() -> None:
    svg = PICTURES["by time"](history(20)).svg()
    assert "time since the start (min)" in svg
    assert "accuracy (higher is better)" in svg


def test_convergence_draws_one_dot_per_trial_and_the_best_line() -> None:
    points = history(20)
    axes = PICTURES["by trial"](points).figure.axes[0]
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    assert len(lines["trial"].get_xdata()) == 15  # type: ignore[arg-type]  # an array, not a float
    assert len(lines["breaks a constraint"].get_xdata()) == 5  # type: ignore[arg-type]
    best = list(lines["best so far"].get_ydata())  # type: ignore[arg-type]
    assert best == sorted(best)
    assert best[-1] == max(p.metrics["accuracy"] for p in points if p.feasible)


def test_save_writes_png_and_svg_and_refuses_other_endings(tmp_path: Path) -> None:
    plot = PICTURES["by trial"](history(3))
    assert plot.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert plot.save(tmp_path / "a.svg").read_text("utf-8").startswith("<svg")
    with pytest.raises(CallerError, match=r"\.jpg"):
        plot.save(tmp_path / "a.jpg")


def test_pareto_needs_two_objectives() -> None:
    with pytest.raises(CallerError, match="two objectives, got 1"):
        plot_pareto([], OBJECTIVES[:1])


def test_architecture_shows_one_box_per_operation_as_png_and_svg(tmp_path: Path) -> None:
    make = OPERATIONS.node
    nodes = (
        make("input", (), {"name": "costs $x_i$", "shape": (3, 8, 8)}),
        make("conv2d", (0,), {"filters": 16}),
        make("add", (1, 1)),
    )
    plot = plot_architecture(ModelGraph(nodes=nodes, outputs=(("y", 2),)))
    words = [text.get_text() for text in plot.figure.axes[0].texts]
    assert {"input costs $x_i$", "conv2d", "add", "output y"} <= set(words)
    assert len(plot.figure.axes[0].patches) == 4 + 4  # boxes and edges
    assert plot.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "conv2d" in plot.svg()
