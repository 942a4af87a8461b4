"""What can be had of one objective at what price in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from morphml.errors import CallerError
from morphml.search.objectives import Objective
from morphml.visualization.plot import BLUE, GREY, ORANGE, Plot, canvas, legend, note
from morphml.visualization.points import TrialPoint, metric_label, pareto_front, scored
from morphml.visualization.scales import count_axis, wide

if TYPE_CHECKING:  # matplotlib comes when a picture is drawn
    from matplotlib.axes import Axes


def plot_pareto(points: Sequence[TrialPoint], objectives: Sequence[Objective]) -> Plot:
    """All trials in the plane of the first two objectives, with the Pareto front as a line.

    With more than two objectives the front is that of the two that are shown.

    Raises:
        CallerError: with fewer than two objectives.
    """
    if len(objectives) < 2:
        raise CallerError(f"a Pareto front needs two objectives, got {len(objectives)}")
    upright, across = objectives[0], objectives[1]
    with canvas(6.2, 3.8) as (figure, axes):
        axes.set_title(f"{upright.name} against {across.name}")
        axes.set_xlabel(metric_label(across))
        axes.set_ylabel(metric_label(upright))
        shown = scored(points, (upright, across))
        if shown:
            _draw(axes, shown, across, upright)
        else:
            note(axes, "no trial has both results yet")
    return Plot(figure)


def _draw(axes: Axes, points: Sequence[TrialPoint], across: Objective, upright: Objective) -> None:
    for feasible, colour, marker, label in (
        (True, GREY, "o", "trial"),
        (False, ORANGE, "x", "breaks a constraint"),
    ):
        group = [p for p in points if p.feasible is feasible]
        if group:
            xs, ys = _columns(group, across, upright)
            axes.scatter(xs, ys, s=22, color=colour, marker=marker, alpha=0.6, label=label)
    front = pareto_front(points, (across, upright))
    if front:
        xs, ys = _columns(front, across, upright)
        # Up to the next point, this one is the best to be had: what lies beyond is dominated.
        axes.step(xs, ys, where="post", color=BLUE, linewidth=1.6, alpha=0.8)
        axes.scatter(xs, ys, s=48, color=BLUE, label="Pareto front", zorder=3)
    xs, ys = _columns(points, across, upright)
    if wide(xs):
        axes.set_xscale("log")
    count_axis(axes.xaxis, xs)
    count_axis(axes.yaxis, ys)
    legend(axes)


def _columns(
    points: Sequence[TrialPoint], across: Objective, upright: Objective
) -> tuple[list[float], list[float]]:
    return (
        [p.metrics[across.name] for p in points],
        [p.metrics[upright.name] for p in points],
    )
