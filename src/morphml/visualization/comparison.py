"""Several searches in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from morphml.search.objectives import Objective
from morphml.visualization.plot import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Plot,
    canvas,
    legend,
    note,
)
from morphml.visualization.points import TrialPoint, best_steps, metric_label, scored

#: Colour and dash tell curves apart, also in grey.
_LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (RED, ":"), (PURPLE, "-"), (SKY, "--"))


def plot_comparison(searches: Mapping[str, Sequence[TrialPoint]], objective: Objective) -> Plot:
    """The best value so far of each search, by trial.

    Args:
        searches: label to trials in any order.
        objective: the metric on the vertical axis.
    """
    with canvas(6.2, 3.8) as (figure, axes):
        axes.set_title(f"Best {objective.name} so far")
        axes.set_xlabel("trial number")
        axes.set_ylabel(metric_label(objective))
        drawn = 0
        for place, (label, points) in enumerate(searches.items()):
            steps = best_steps(points, objective)
            if not steps:
                continue
            colour, dash = _LINES[place % len(_LINES)]
            end = max(p.number for p in scored(points, [objective]))
            axes.step(
                [*(step.number for step in steps), end],
                [*(step.value for step in steps), steps[-1].value],
                where="post",
                color=colour,
                linestyle=dash,
                linewidth=2.0,
                label=label,
            )
            drawn += 1
        if drawn:
            legend(axes)
        else:
            note(axes, "no trial has a result yet")
    return Plot(figure)
