"""Who beats the baseline of a comparison, who is no worse, and how it looks by network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from morphml.benchmarks import Comparison
from morphml.benchmarks.comparison import Standing

#: Heads and rows.
Rows: TypeAlias = tuple[Sequence[str], Sequence[tuple[str, ...]]]


def verdict_table(comparison: Comparison) -> Rows:
    """In words, what the paired intervals say about each optimizer but the baseline."""
    marks = comparison.standings[0].marks
    heads = ["optimizer", *(f"after {mark.evaluations}" for mark in marks), "wasted"]
    rows = [
        (
            standing.optimizer,
            *(mark.verdict(comparison.margin) for mark in standing.marks),
            f"{standing.wasted:.1f}",
        )
        for standing in comparison.standings
        if standing.optimizer != comparison.baseline
    ]
    return heads, rows


def networks_table(comparison: Comparison) -> Rows:
    """What is missing after evaluations of so many different networks; no rows without networks."""
    places = [mark.evaluations for mark in comparison.standings[0].marks]
    heads = ["optimizer", *(f"after {place}" for place in places)]
    rows = [
        (standing.optimizer, *(_after(standing, place) for place in places))
        for standing in comparison.standings
        if standing.by_network
    ]
    return heads, rows


def explained(comparison: Comparison) -> str:
    """How to read both tables, in one sentence each."""
    return (
        f"beats: the interval of the differences from {comparison.baseline} lies below 0; "
        f"no worse: it ends at {comparison.margin:g} at most; open: it does neither, with "
        f"{comparison.seeds} seeds. wasted: evaluations of a known point."
    )


def _after(standing: Standing, place: int) -> str:
    found = standing.by_network[min(place, len(standing.by_network)) - 1]
    return f"{found.mean:.3f} ± {found.half:.3f}"
