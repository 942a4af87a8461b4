"""The learning curves of all trials, and where most of them were left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from morphml.search.course import Curve
from morphml.search.objectives import Objective
from morphml.visualization.plot import BLUE, GREY, Plot, canvas, legend, note
from morphml.visualization.points import metric_label
from morphml.visualization.scales import robust_limits


def plot_curves(
    curves: Mapping[int, Curve], objective: Objective, rungs: Sequence[int] = ()
) -> Plot:
    """One line a trial over its epochs; those that came furthest are drawn strong.

    Args:
        curves: epochs and metrics by trial number.
        objective: the metric on the vertical axis; epochs without it are left out.
        rungs: epochs at which trials were compared, marked by lines; the axis is then logarithmic.
    """
    lines = {number: _line(curve, objective.name) for number, curve in sorted(curves.items())}
    lines = {number: line for number, line in lines.items() if line}
    with canvas(6.2, 3.6) as (figure, axes):
        axes.set_title(f"{objective.name} by epoch")
        axes.set_xlabel("epochs")
        axes.set_ylabel(metric_label(objective))
        if not lines:
            note(axes, "no trial has reported yet")
            return Plot(figure)
        longest = max(line[-1][0] for line in lines.values())
        labels = {BLUE: f"came to epoch {longest}", GREY: "paused or stopped before"}
        for line in sorted(lines.values(), key=lambda line: line[-1][0]):
            far = line[-1][0] == longest
            colour = BLUE if far else GREY
            axes.plot(
                [epoch for epoch, _ in line],
                [value for _, value in line],
                color=colour,
                linewidth=1.6 if far else 0.9,
                alpha=0.9 if far else 0.5,
                marker="o",
                markersize=3,
                label=labels.pop(colour, None),
            )
        if rungs:
            axes.set_xscale("log")
            axes.set_xticks(list(rungs), [str(rung) for rung in rungs])
            axes.minorticks_off()
        values = [value for line in lines.values() for _, value in line]
        axes.set_ylim(*robust_limits(values, objective))
        legend(axes)
    return Plot(figure)


def _line(curve: Curve, metric: str) -> list[tuple[int, float]]:
    return [(epoch, metrics[metric]) for epoch, metrics in curve if metric in metrics]
