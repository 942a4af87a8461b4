"""Whether the hundred thousandth trial costs what the ten thousandth does.

Each search runs in a process of its own, since a process does not give memory back. The memory
store keeps every row in memory, so that only its rate is promised.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.searching import Case, figure, in_fresh_process, measure

SHORT, LONG = 10_000, 100_000


def compare(case: Case) -> dict[str, object]:
    """How much slower and larger ten times as many trials are.

    The short search runs before and after the long one, and the faster of both counts: the machine
    may have been busy in between.
    """
    short = replace(case, trials=SHORT)
    before = in_fresh_process(measure, short)
    long = in_fresh_process(measure, replace(case, trials=LONG))
    after = in_fresh_process(measure, short)
    rates = [figure(row, "trials_per_s") for row in (before, after)]
    slower = 1.0 - figure(long, "trials_per_s") / max(rates)
    more = figure(long, "rss_mb") - min(figure(row, "rss_mb") for row in (before, after))
    return {
        "case": f"{LONG:,} against {SHORT:,} trials, {case}",
        "trials_per_s": long["trials_per_s"],
        "trials_per_s_short": round(max(rates)),
        "slower_percent": round(100 * slower, 1),
        "rss_mb_more": round(more, 1),
    }


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    return [
        compare(Case(storage=storage, optimizer=optimizer, in_flight=64, trials=SHORT))
        for storage in ("SQLite", "memory")
        for optimizer in ("random", "evolution")
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
