"""Axes that people can read: units of time, counts in thousands, limits that one outlier spares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from morphml.search.objectives import Direction, Objective

if TYPE_CHECKING:  # matplotlib comes when a picture is drawn
    from matplotlib.axis import Axis

#: Values from this size on are written 12k, 3.4M.
LARGE_COUNT = 10_000
#: A wider range than this many decades gets a logarithmic axis.
LOG_DECADES = 1.5


def time_unit(longest_s: float) -> tuple[float, str]:
    """Seconds per unit and the unit's sign for an axis that ends at ``longest_s`` seconds."""
    if longest_s < 180:
        return 1.0, "s"
    if longest_s < 3 * 3600:
        return 60.0, "min"
    return 3600.0, "h"


def count_axis(axis: Axis, values: Sequence[float]) -> None:
    """Write large numbers with k, M, G on ``axis``."""
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415 heavy, and an optional extra

    if max((abs(value) for value in values), default=0.0) >= LARGE_COUNT:
        axis.set_major_formatter(EngFormatter(sep=""))


def wide(values: Sequence[float]) -> bool:
    """Whether positive ``values`` span so much that only a logarithmic axis shows them."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return low > 0 and math.log10(high / low) > LOG_DECADES


def robust_limits(values: Sequence[float], objective: Objective) -> tuple[float, float]:
    """Axis ends that hold every good value and the better three quarters of the bad ones.

    One trial that diverged would otherwise press all the others into a line.
    """
    data = np.asarray(values, dtype=float)
    q1, q3 = np.quantile(data, [0.25, 0.75])
    reach = 3.0 * (q3 - q1)
    low, high = float(data.min()), float(data.max())
    if objective.direction is Direction.MAX:
        low = max(low, float(q1 - reach)) if reach > 0 else low
    else:
        high = min(high, float(q3 + reach)) if reach > 0 else high
    margin = 0.06 * (high - low) or 0.05 * (abs(high) or 1.0)
    return low - margin, high + margin
