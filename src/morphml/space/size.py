"""How many members a space has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from morphml.space.compiled import Compiled
from morphml.space.decisions import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A number of members: exact, or an interval around an estimate."""

    #: The count, or the middle of the interval; infinite with a real decision.
    value: float
    low: float
    high: float
    #: True: only the interval is known (95 %).
    estimated: bool = False

    def __str__(self) -> str:
        if math.isinf(self.value):
            return "infinite"
        if self.estimated:
            return f"{self.low:,.4g} to {self.high:,.4g} (estimated)"
        return f"{self.value:,}"

    def __int__(self) -> int:
        return int(self.value)


def measured(compiled: Compiled, allows: Callable[[Vector], bool]) -> Size:
    """Not ready."""
    total = math.prod(d.cardinality or 1 for d in compiled.table.decisions)
    return Size(value=total, low=total, high=total, estimated=True)
