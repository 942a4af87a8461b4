"""A search of 1 s tasks on 16 slots of 4 Ray nodes, warm.

Efficiency is the sum of the durations timed where trials ran over slots x (last end - first start).
Overhead is what a slot is idle between two trials: the median over all of its pairs. The nodes are
simulated on this machine, whose cores start all their processes; tasks sleep.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import morphml as mm
from benchmarks.cluster import load
from benchmarks.ray_nodes import ray_nodes
from benchmarks.sleeping import sleep_one_second
from morphml.master import Experiment

SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})
NODES, SLOTS = 4, 4
Span = tuple[float, float]


def figures(asked: float, spans: Sequence[Span], slots: int) -> dict[str, object]:
    """What the spans of one search come to."""
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    used = sum(end - start for start, end in spans)
    return {
        "trials": len(spans),
        "trials_per_s": round(len(spans) / (last - first), 2),
        "efficiency": round(used / (slots * (last - first)), 4),
        "first_trial_s": round(first - asked, 2),
    }


def overhead_ms(by_slot: dict[str, list[Span]]) -> float:
    """Median milliseconds from an end to the next start on the same slot."""
    gaps = []
    for spans in by_slot.values():
        ordered = sorted(spans)
        gaps += [after[0] - before[1] for before, after in pairwise(ordered)]
    return round(1000 * statistics.median(gaps), 1)


def measure(address: str, trials: int) -> dict[str, object]:
    """Our search; the first trials of each slot are not counted, they warm it."""
    slots, busy = NODES * SLOTS, load()
    asked = time.time()
    with Experiment.create(
        SPACE,
        sleep_one_second,
        objectives={"score": "max"},
        optimizer="random",
        trials=trials + slots,
        workers=slots,
        engine="ray",
    ) as experiment:
        experiment.run(slots, lambda _: None, f"ray:{address}")
        attempts = sorted(experiment.store.attempts(experiment.id), key=lambda a: a.started_at)
    began = attempts[0].started_at
    warm = attempts[slots:]
    by_slot: dict[str, list[Span]] = defaultdict(list)
    for each in warm:
        by_slot[each.worker].append((each.started_at, each.started_at + each.duration_s))
    spans = [span for found in by_slot.values() for span in found]
    return {
        "case": f"{slots} slots on {NODES} Ray nodes, 1 s tasks",
        **figures(asked, spans, slots),
        "first_trial_s": round(began - asked, 2),
        "overhead_ms": overhead_ms(by_slot),
        "load": busy,
    }


def run(trials: int = 160) -> list[dict[str, object]]:
    """All rows of the table."""
    with ray_nodes(NODES, SLOTS) as address:
        return [measure(address, trials)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=160)
    for row in run(parser.parse_args().trials):
        print(row)
