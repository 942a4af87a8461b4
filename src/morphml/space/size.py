"""How many members a space has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from morphml.errors import MorphError
from morphml.space.counting import count
from morphml.space.decisions import Vector
from morphml.space.table import Table

#: With constraints, members are counted one by one up to so many unconstrained ones.
COUNTED = 20_000
#: Beyond that, so many draws estimate the share that the constraints leave.
DRAWS = 1_000
#: Normal quantile of the 95 % interval.
_Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A number of members: exact, or a 95 % interval around an estimate."""

    #: The count, or the best guess; infinite where a real decision can be active.
    value: int | float
    #: Ends of the interval; both equal `value` where it is exact.
    low: int | float
    high: int | float
    #: True: only the interval is known.
    estimated: bool = False

    def __str__(self) -> str:
        if self.value == math.inf:
            return "infinite"
        if self.estimated:
            return f"{_short(self.low)} to {_short(self.high)} (estimated)"
        return _short(self.value)

    def __int__(self) -> int:
        """The value.

        Raises:
            OverflowError: when it is infinite.
        """
        return int(self.value)


def measured(
    table: Table, vectors: Callable[[], Iterator[Vector]], allows: Callable[[Vector], bool] | None
) -> Size:
    """The number of members, as distinct vectors.

    Args:
        table: the decisions.
        vectors: lists the members without constraints.
        allows: the constraints; None where there are none.

    Without constraints the count is exact, whatever conditions, ties, dependent domains and graphs
    there are (unless so many decisions depend on each other that counting is hopeless; then it is
    the product of all domains as an upper end). With constraints, members are counted up to
    `COUNTED`; beyond, the share of `DRAWS` draws that the constraints allow gives Wilson's
    interval. Draws are uniform where decisions are independent, so elsewhere it is a rough one.
    """
    total = count(table)
    if total is None:
        most = math.prod(decision.cardinality or 1 for decision in table.decisions)
        return Size(value=most, low=1, high=most, estimated=True)
    if allows is None or total == math.inf:
        return Size(value=total, low=total, high=total)
    if total <= COUNTED:
        exact = sum(1 for vector in vectors() if _allowed(allows, vector))
        return Size(value=exact, low=exact, high=exact)
    rng = np.random.Generator(np.random.PCG64(0))
    hits = sum(1 for _ in range(DRAWS) if _allowed(allows, table.draw(rng)))
    return _estimate(int(total), hits)


def _allowed(allows: Callable[[Vector], bool], vector: Vector) -> bool:
    try:
        return allows(vector)
    except MorphError:
        return False


def _estimate(total: int, hits: int) -> Size:
    """Wilson's score interval of the allowed share, times the total."""
    share = hits / DRAWS
    middle = (share + _Z**2 / (2 * DRAWS)) / (1 + _Z**2 / DRAWS)
    spread = share * (1 - share) / DRAWS + _Z**2 / (4 * DRAWS**2)
    half = _Z * math.sqrt(spread) / (1 + _Z**2 / DRAWS)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Size(
        value=_part(total, share), low=_part(total, low), high=_part(total, high), estimated=True
    )


def _part(total: int, share: float) -> int:
    """``total * share`` in whole numbers, which may be larger than any float."""
    return total * round(share * 10**9) // 10**9


def _short(value: int | float) -> str:
    if value < 10**15:
        return f"{int(value):,}"
    exponent = int(math.log10(value))
    mantissa = int(value) // 10 ** (exponent - 3) / 1000
    return f"{mantissa:.3g}e+{exponent}"
