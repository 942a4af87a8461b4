"""How the best value came about, by trial and by time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from morphml.search.objectives import Objective
from morphml.visualization.plot import BLUE, GREY, ORANGE, Plot, canvas, legend, note
from morphml.visualization.points import (
    BestStep,
    TrialPoint,
    best_steps,
    metric_label,
    scored,
    trial_text,
)
from morphml.visualization.scales import count_axis, robust_limits, time_unit

if TYPE_CHECKING:  # matplotlib comes when a picture is drawn
    from matplotlib.axes import Axes

Position = Callable[[TrialPoint | BestStep], float]


def plot_convergence(
    points: Sequence[TrialPoint],
    objective: Objective,
    *,
    by: Literal["trial", "time"] = "trial",
) -> Plot:
    """Every trial as a dot and the best so far as a line.

    Args:
        points: trials in any order; those without the objective are left out.
        objective: the metric on the vertical axis.
        by: the horizontal axis: trial number, or time since the start.
    """
    usable = [p for p in scored(points, [objective]) if by == "trial" or p.ended_s is not None]
    longest = max((p.ended_s or 0.0 for p in usable), default=0.0)
    seconds, unit = time_unit(longest)
    with canvas(6.2, 3.6) as (figure, axes):
        axes.set_title(f"Best {objective.name} by {by}")
        axes.set_ylabel(metric_label(objective))
        if by == "trial":
            axes.set_xlabel("trial number")
            _draw(axes, usable, objective, lambda point: float(point.number))
        else:
            axes.set_xlabel(f"time since the start ({unit})")
            _draw(axes, usable, objective, lambda point: (point.ended_s or 0.0) / seconds)
    return Plot(figure)


def _draw(
    axes: Axes, points: Sequence[TrialPoint], objective: Objective, position: Position
) -> None:
    if not points:
        note(axes, "no trial has a result yet")
        return
    values = [p.metrics[objective.name] for p in points]
    for feasible, colour, marker, label in (
        (True, GREY, "o", "trial"),
        (False, ORANGE, "x", "breaks a constraint"),
    ):
        shown = [p for p in points if p.feasible is feasible]
        if shown:
            axes.plot(
                [position(p) for p in shown],
                [p.metrics[objective.name] for p in shown],
                linestyle="none",
                marker=marker,
                markersize=4,
                alpha=0.6,
                color=colour,
                label=label,
            )
    _draw_best(axes, points, objective, position)
    axes.set_ylim(*robust_limits(values, objective))
    count_axis(axes.yaxis, values)
    legend(axes)


def _draw_best(
    axes: Axes, points: Sequence[TrialPoint], objective: Objective, position: Position
) -> None:
    steps = best_steps(points, objective)
    if not steps:
        return
    end = max(position(point) for point in points)
    axes.step(
        [*(position(step) for step in steps), end],
        [*(step.value for step in steps), steps[-1].value],
        where="post",
        color=BLUE,
        linewidth=2.2,
        label="best so far",
    )
    last = steps[-1]
    axes.plot([position(last)], [last.value], marker="o", markersize=7, color=BLUE)
    axes.annotate(
        f"{last.value:.4g} ({trial_text(last.number)})",
        (position(last), last.value),
        xytext=(6, -12 if objective.minimised(1.0) < 0 else 8),
        textcoords="offset points",
        color=BLUE,
        fontweight="bold",
        bbox={
            "boxstyle": "round,pad=0.15",
            "facecolor": "white",
            "edgecolor": "none",
            "alpha": 0.8,
        },
        ha="left" if position(last) < 0.7 * end else "right",
    )
