"""Whether the hundred thousandth trial costs what the ten thousandth does.

One long search halts after every 10,000 trials, and a whole search of 10,000 runs in each of these
breaks: both see the machine in the same minutes, whatever else it does. Each search is in a process
of its own, since a process does not give memory back. The memory store keeps every row in memory,
so that only its rate is promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.halting import Block, halting
from benchmarks.searching import Case

SHORT, LONG = 10_000, 100_000


def measure(case: Case) -> tuple[list[Block], list[Block]]:
    """The blocks of one search of ``LONG`` trials, and beside each one a search of ``SHORT``."""
    long_blocks: list[Block] = []
    short_blocks: list[Block] = []
    with halting(replace(case, trials=LONG), SHORT) as long:
        for number in range(LONG // SHORT):
            # The order changes, so that a machine that gets slower slows neither of the two.
            if number % 2:
                long_blocks.append(long.block())
            with halting(replace(case, trials=SHORT), SHORT) as short:
                short_blocks.append(short.block())
            if not number % 2:
                long_blocks.append(long.block())
    return long_blocks, short_blocks


def compare(case: Case, long: Sequence[Block], short: Sequence[Block]) -> dict[str, object]:
    """How much slower and larger ten times as many trials are.

    Args:
        case: of both.
        long: the blocks of the long search, in order.
        short: whole short searches, one beside each block.

    Returns:
        Rates over all blocks by the clock on the wall; by how much they differ, and by how much
        processor times do, in all and in the last block; the difference of what memory grew by.
    """
    wall = [sum(block.wall_s for block in blocks) for blocks in (long, short)]
    cpu = [sum(block.cpu_s for block in blocks) for blocks in (long, short)]
    last = long[-1].cpu_s / (cpu[1] / len(short))
    more = long[-1].grown_mb - min(block.grown_mb for block in short)
    return {
        "case": f"{LONG:,} against {SHORT:,} trials in turns, {case}",
        "trials_per_s": round(SHORT * len(long) / wall[0]),
        "trials_per_s_short": round(SHORT * len(short) / wall[1]),
        "slower_percent": _slower(wall[0] / wall[1]),
        "slower_percent_cpu": _slower(cpu[0] / cpu[1]),
        "slower_percent_cpu_last": _slower(last),
        "rss_mb_more": round(more, 1),
    }


def _slower(ratio: float) -> float:
    """By how many percent the rate is lower where the time is ``ratio`` times as long."""
    return round(100 * (1.0 - 1.0 / ratio), 1)


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    cases = [
        Case(storage=storage, optimizer=optimizer, in_flight=64, trials=SHORT)
        for storage in ("SQLite", "memory")
        for optimizer in ("random", "evolution")
    ]
    return [compare(case, *measure(case)) for case in cases]


if __name__ == "__main__":
    for row in run():
        print(row)
