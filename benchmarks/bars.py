"""What is promised of each figure; a benchmark row is compared with every bar that fits it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bound on one figure of the rows whose case matches."""

    #: Regular expression on the row's case.
    case: str
    #: Key of the figure.
    figure: str
    relation: Literal[">=", "<="]
    limit: float

    def fits(self, row: Mapping[str, object]) -> bool:
        """Whether the row has this figure for this case."""
        return self.figure in row and re.search(self.case, str(row["case"])) is not None

    def holds(self, row: Mapping[str, object]) -> bool:
        """Whether the row keeps the bound."""
        value = float(str(row[self.figure]))
        return value >= self.limit if self.relation == ">=" else value <= self.limit

    def __str__(self) -> str:
        """The bound as it is read."""
        return f"{self.figure} {self.relation} {self.limit:g}"


#: Optimizers without a model or a library behind them.
_BY_HAND = (
    "random|quasi_random|evolution|genetic|local_search|simulated_annealing|"
    "differential_evolution|particle_swarm|portfolio|nsga2"
)

BARS = (
    Bar(case=r"^SQLite full, .*, 1 in flight", figure="trials_per_s", relation=">=", limit=1000),
    Bar(case=r"^SQLite normal, .*, 1 in flight", figure="trials_per_s", relation=">=", limit=2000),
    Bar(case=r"^SQLite full, .*, 64 in flight", figure="trials_per_s", relation=">=", limit=2000),
    Bar(case=r"^memory .*, 1 in flight", figure="trials_per_s", relation=">=", limit=5000),
    Bar(case=r"^100,000 against", figure="slower_percent", relation="<=", limit=20.0),
    Bar(case=r"^100,000 against.* SQLite", figure="rss_mb_more", relation="<=", limit=30.0),
    Bar(case=r"^fold of 100,000", figure="seconds", relation="<=", limit=5.0),
    Bar(case=r"^import morphml", figure="seconds", relation="<=", limit=0.3),
    Bar(case=r"^import morphml", figure="mb", relation="<=", limit=60.0),
    Bar(case=r"children ready", figure="seconds", relation="<=", limit=5.0),
    Bar(case=r"local processes", figure="efficiency", relation=">=", limit=0.97),
    Bar(case=r"^20-node .*canonical id", figure="us", relation="<=", limit=500.0),
    Bar(case=r"slots on \d+ Ray nodes.*morphml", figure="efficiency", relation=">=", limit=0.90),
    Bar(case=r"slots on \d+ Ray nodes", figure="overhead_ms", relation="<=", limit=10.0),
    Bar(case=r"^a Ray node joins", figure="seconds", relation="<=", limit=5.0),
    Bar(case=r"worker processes, ", figure="efficiency", relation=">=", limit=0.95),
    Bar(case=r"queued no-op tasks", figure="tasks_per_s", relation=">=", limit=1000),
    Bar(case=r"no-op jobs", figure="jobs_per_s", relation=">=", limit=300),
    Bar(case=r"^1,000 no-op jobs", figure="submit_s", relation="<=", limit=1.0),
    Bar(case=r"^1,000 no-op jobs", figure="look_ms", relation="<=", limit=50.0),
    Bar(case=r"^master, 1,000 idle workers", figure="cpu_percent", relation="<=", limit=8.0),
    Bar(case=r"^master, 1,000 idle workers", figure="rss_mb", relation="<=", limit=150.0),
    Bar(case=r"^wake-up", figure="median_ms", relation="<=", limit=20.0),
    Bar(case=r"^takeover after kill -9", figure="seconds", relation="<=", limit=13.0),
    Bar(case=r"^10000 simulated workers", figure="slot_use", relation=">=", limit=0.95),
    Bar(case=r"simulated workers, heavy tail", figure="us", relation="<=", limit=100.0),
    # From 100 to 10,000 workers the logarithm doubles.
    Bar(case=r"^10000 simulated workers", figure="growth", relation="<=", limit=2.0),
    Bar(
        case=r"^adaptive against fifo, heterogeneous",
        figure="shorter_percent",
        relation=">=",
        limit=15.0,
    ),
    Bar(
        case=r"^adaptive against fifo, (homogeneous|heavy tail)",
        figure="shorter_percent",
        relation=">=",
        limit=-3.0,
    ),
    Bar(
        case=r"^work_stealing against the bound",
        figure="longer_percent",
        relation="<=",
        limit=2.0,
    ),
    Bar(case=r"processes foretold", figure="off_percent", relation="<=", limit=5.0),
    Bar(case=rf"^ask and tell, ({_BY_HAND})$", figure="ms_at_1000", relation="<=", limit=1.0),
    Bar(case=r"^ask and tell, tpe$", figure="ms_at_1000", relation="<=", limit=100.0),
    Bar(
        case=r"^ask and tell, (gaussian_process|smac|bananas)$",
        figure="ms_at_1000",
        relation="<=",
        limit=300.0,
    ),
    Bar(case=r"^ask and tell, ", figure="ms_at_10000", relation="<=", limit=500.0),
    Bar(case=r"^memory, ", figure="rss_mb", relation="<=", limit=30.0),
    Bar(case=r"^regret, .*, auto$", figure="above_evolution_at_most", relation="<=", limit=0.02),
    Bar(case=r"^hypervolume, .*, nsga2$", figure="share", relation=">=", limit=0.985),
    Bar(case=r"^hypervolume, .*, auto$", figure="share", relation=">=", limit=0.99),
    Bar(case=r"^regret, ", figure="wasted", relation="<=", limit=0.0),
    Bar(case=r"^20-node .*(sample|mutate)", figure="us", relation="<=", limit=200.0),
)


def verdict(row: Mapping[str, object]) -> str:
    """The bars of a row and whether each is met; empty where nothing is promised."""
    fitting = [bar for bar in BARS if bar.fits(row)]
    return ", ".join(f"{bar}: {'met' if bar.holds(row) else 'MISSED'}" for bar in fitting)
