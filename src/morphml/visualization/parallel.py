"""All decisions of all trials at once: one line per trial across one axis per decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from morphml.search.objectives import Objective
from morphml.visualization.plot import Plot, canvas, note
from morphml.visualization.points import DecisionValue, TrialPoint, metric_label, ranked
from morphml.visualization.scales import wide

if TYPE_CHECKING:  # matplotlib comes when a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: More lines than this are a carpet; the best and a spread of the others are drawn.
MOST_LINES = 300
#: An axis with more different values than this shows only its ends and middle.
MOST_TICKS = 7
_BEHIND_TEXT = {
    "boxstyle": "round,pad=0.1",
    "facecolor": "white",
    "edgecolor": "none",
    "alpha": 0.8,
}


def plot_parallel(
    points: Sequence[TrialPoint],
    objective: Objective,
    *,
    paths: Sequence[str] = (),
    most: int = 8,
) -> Plot:
    """One line per trial; the colour is the objective, the best lines lie on top.

    Args:
        points: trials in any order.
        objective: what colours the lines.
        paths: which decisions, in this order from left to right; by default those that vary,
            sorted by path.
        most: how many decisions at most.
    """
    chosen = _spread(ranked(points, objective), MOST_LINES)
    axes_paths = (list(paths) or _varying(chosen))[:most]
    with canvas(max(6.2, 1.1 * len(axes_paths)), 4.0) as (figure, axes):
        axes.set_title(f"Decisions and {objective.name}")
        if len(chosen) < 2 or not axes_paths:
            note(axes, "needs two trials with results that differ")
        else:
            _draw(figure, axes, chosen, objective, axes_paths)
    return Plot(figure)


def _spread(points: Sequence[TrialPoint], most: int) -> list[TrialPoint]:
    if len(points) <= most:
        return list(points)
    return [points[int(i)] for i in np.linspace(0, len(points) - 1, most)]


def _varying(points: Sequence[TrialPoint]) -> list[str]:
    seen: dict[str, set[DecisionValue]] = {}
    for point in points:
        for path, value in point.decisions.items():
            seen.setdefault(path, set()).add(value)
    return sorted(path for path, values in seen.items() if len(values) > 1)


def _draw(
    figure: Figure,
    axes: Axes,
    points: Sequence[TrialPoint],
    objective: Objective,
    paths: Sequence[str],
) -> None:
    from matplotlib import colormaps  # noqa: PLC0415 heavy, and an optional extra
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 heavy, and an optional extra
    from matplotlib.colors import Normalize  # noqa: PLC0415 heavy, and an optional extra

    values = [p.metrics[objective.name] for p in points]
    middle = float(np.median(values))
    best = values[0]
    scale = Normalize(min(best, middle), max(best, middle), clip=True)
    colours = colormaps["cividis_r" if objective.minimised(1.0) > 0 else "cividis"]
    heights = np.column_stack([_heights(axes, i, path, points) for i, path in enumerate(paths)])
    for row in reversed(range(len(points))):
        axes.plot(
            range(len(paths)),
            heights[row],
            color=colours(scale(values[row])),
            alpha=1.0 if row == 0 else 0.55,
            linewidth=3.0 if row == 0 else 1.1,
        )
    axes.set_xticks(range(len(paths)), [_two_lines(path) for path in paths], fontsize=8)
    axes.set_yticks([])
    axes.set_ylim(-0.06, 1.06)
    axes.set_xlim(-0.1, len(paths) - 0.35)
    axes.grid(visible=True, axis="x", color="#9AA5B1")
    axes.spines["left"].set_visible(False)
    figure.colorbar(ScalarMappable(scale, colours), ax=axes, label=metric_label(objective))


def _heights(
    axes: Axes, place: int, path: str, points: Sequence[TrialPoint]
) -> NDArray[np.float64]:
    """Heights in [0, 1] of all points on the axis of ``path``, whose values are written beside it.

    ``NaN`` where the decision is not active: the line breaks there.
    """
    present = {p.decisions[path] for p in points if path in p.decisions}
    numbers = {value for value in present if isinstance(value, int | float)}
    ticks: dict[DecisionValue, float]
    if len(numbers) == len(present) and len(present) > MOST_TICKS:
        floats = [float(value) for value in numbers]
        to_axis, from_axis = (np.log10, _power) if wide(floats) else (float, float)
        low, high = to_axis(min(floats)), to_axis(max(floats))
        ticks = {value: float((to_axis(float(value)) - low) / (high - low)) for value in numbers}
        places = (0.0, 0.5, 1.0)
        labels = {place: f"{from_axis(low + place * (high - low)):.2g}" for place in places}
    else:
        ordered: list[DecisionValue] = (
            [*sorted(numbers)] if len(numbers) == len(present) else sorted(present, key=str)
        )
        last = max(len(ordered) - 1, 1)
        ticks = {value: i / last for i, value in enumerate(ordered)}
        labels = {height: _short(str(value)) for value, height in ticks.items()}
    for height, label in labels.items():
        axes.text(place + 0.04, height, label, fontsize=8, va="center", bbox=_BEHIND_TEXT)
    return np.array([ticks[p.decisions[path]] if path in p.decisions else np.nan for p in points])


def _power(exponent: float) -> float:
    return float(10.0**exponent)


def _two_lines(path: str) -> str:
    head, _, tail = path.rpartition("/")
    return f"{_short(head, 18)}\n{_short(tail, 18)}"


def _short(text: str, longest: int = 22) -> str:
    return text if len(text) <= longest else f"…{text[-(longest - 1) :]}"
