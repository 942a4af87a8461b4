"""Which decisions matter: how much worse a model of the results predicts without one of them.

A random forest learns the objective from the decisions; then each decision's column is shuffled,
and the growth of the forest's error is that decision's share. Chosen by measurement on a function
with known shares (8 decisions, noise, 10 seeds; total variation distance from the truth, lower is
better). Histories of an evolution sit close together, which misleads methods that look at one
decision at a time:

======================  ==========  ===========  ============  =============
method                  100 random  300 random   100 evolution 300 evolution
======================  ==========  ===========  ============  =============
forest and shuffling    0.08        0.04         0.19          0.15
variance explained      0.09        0.05         0.42          0.27
PED-ANOVA               0.38        0.24         0.75          0.72
======================  ==========  ===========  ============  =============

Breiman, "Random forests", Machine Learning 45 (2001), section 10. 0.3 s for 100 trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from morphml.errors import MissingExtraError
from morphml.search.objectives import Objective
from morphml.visualization.plot import BLUE, Plot, canvas, note
from morphml.visualization.points import DecisionValue, TrialPoint, scored

if TYPE_CHECKING:  # scikit-learn takes 0.5 s to import; it comes when shares are computed
    from numpy.typing import NDArray

#: With fewer results than this, shares would be noise.
FEWEST_TRIALS = 12
TREES = 100
SHUFFLES = 5


def decision_importance(points: Sequence[TrialPoint], objective: Objective) -> dict[str, float]:
    """Share of each decision in what the objective depends on, largest first; shares add up to 1.

    Decisions that never varied have share 0. The result is empty with fewer than 12 usable trials,
    or when the objective never varied. The same points give the same shares.

    Raises:
        MissingExtraError: when scikit-learn is not installed.
    """
    usable = sorted(scored(points, [objective]), key=lambda p: p.number)
    paths = sorted({path for point in usable for path in point.decisions})
    if len(usable) < FEWEST_TRIALS or not paths:
        return {}
    table = np.column_stack([column([p.decisions for p in usable], path) for path in paths])
    values = _clipped(np.array([p.metrics[objective.name] for p in usable], dtype=float))
    if np.ptp(values) == 0.0:
        return {}
    growth = _error_growth(table, values)
    total = growth.sum()
    if total <= 0.0:
        return {}
    shares = {path: float(share) for path, share in zip(paths, growth / total, strict=True)}
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def column(rows: Sequence[Mapping[str, DecisionValue]], path: str) -> NDArray[np.float64]:
    """One decision as numbers, ``(n,)`` float64: numbers as they are, words by first appearance.

    A decision that is not active in a row stands one range below the smallest value.
    """
    present = [row[path] for row in rows if path in row]
    if all(isinstance(value, int | float) for value in present):
        codes = {value: float(value) for value in present if isinstance(value, int | float)}
    else:
        codes = {value: float(i) for i, value in enumerate(dict.fromkeys(present))}  # type: ignore[misc]  # words, not numbers
    low, high = min(codes.values(), default=0.0), max(codes.values(), default=0.0)
    absent = low - ((high - low) or 1.0)
    return np.array([codes[row[path]] if path in row else absent for row in rows])  # type: ignore[index]  # keys are those present


def plot_importance(points: Sequence[TrialPoint], objective: Objective, *, most: int = 12) -> Plot:
    """The ``most`` important decisions as bars.

    Raises:
        MissingExtraError: when scikit-learn is not installed.
    """
    shares = list(decision_importance(points, objective).items())[:most]
    with canvas(6.2, max(1.8, 0.9 + 0.32 * len(shares))) as (figure, axes):
        axes.set_title(f"What {objective.name} depends on")
        if not shares:
            note(axes, f"needs {FEWEST_TRIALS} trials with results that differ")
            return Plot(figure)
        names, sizes = [name for name, _ in shares[::-1]], [100 * s for _, s in shares[::-1]]
        bars = axes.barh(names, sizes, color=BLUE, height=0.65)
        axes.bar_label(bars, [f"{size:.0f} %" for size in sizes], padding=4)
        axes.set_xlabel("importance (share of what the decisions explain, %)")
        axes.set_xlim(0, max(sizes) * 1.12)
        axes.grid(visible=False, axis="y")
    return Plot(figure)


def _clipped(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values`` without far outliers: a diverged loss would be all that the forest learns."""
    q1, q3 = np.quantile(values, [0.25, 0.75])
    reach = 3.0 * (q3 - q1)
    return np.clip(values, q1 - reach, q3 + reach) if reach > 0 else values


def _error_growth(table: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 heavy, optional
        from sklearn.inspection import permutation_importance  # noqa: PLC0415 heavy, optional
    except ImportError:
        raise MissingExtraError("decision importance", extra="torch") from None
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=2, max_features=0.5, random_state=0, n_jobs=1
    )
    forest.fit(table, values)
    found = permutation_importance(
        forest, table, values, n_repeats=SHUFFLES, random_state=0, n_jobs=1
    )
    growth: NDArray[np.float64] = np.asarray(found.importances_mean, dtype=float)
    return growth.clip(min=0.0)
