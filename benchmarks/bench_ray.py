"""Searches of 1 s tasks on 16 slots of 4 Ray nodes, warm, with Ray Tune beside them.

Efficiency is the sum of the durations timed where trials ran over slots x (last end - first start).
Overhead is what a slot is idle between two trials: the median over all of its pairs. The nodes are
simulated on this machine, whose cores start all their processes; tasks sleep.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import ray

import morphml as mm
from benchmarks.cluster import load
from benchmarks.ray_nodes import RayNodes, ray_nodes
from benchmarks.sleeping import sleep_one_second
from morphml.master import Experiment
from morphml.search.changes import AttemptRecord
from morphml.search.progress import Observer, Progress

SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})
NODES, SLOTS = 4, 4
WORK = f"{NODES * SLOTS} slots on {NODES} Ray nodes, 1 s tasks"
Span = tuple[float, float]


def figures(asked: float, spans: Sequence[Span], slots: int) -> dict[str, object]:
    """What the spans of one search come to; the first trial of each slot warms it."""
    ordered = sorted(spans)
    warm = ordered[slots:]
    first, last = warm[0][0], max(end for _, end in warm)
    used = sum(end - start for start, end in warm)
    return {
        "trials": len(warm),
        "trials_per_s": round(len(warm) / (last - first), 2),
        "efficiency": round(used / (slots * (last - first)), 4),
        "first_trial_s": round(ordered[0][0] - asked, 2),
    }


def overhead_ms(attempts: Sequence[AttemptRecord]) -> float:
    """Median milliseconds from an end to the next start on the same slot."""
    by_slot: dict[str, list[Span]] = defaultdict(list)
    for each in attempts:
        by_slot[each.worker].append(span_of(each))
    gaps = []
    for spans in by_slot.values():
        gaps += [after[0] - before[1] for before, after in pairwise(sorted(spans))]
    return round(1000 * statistics.median(gaps), 1)


def span_of(attempt: AttemptRecord) -> Span:
    """When it began and ended, by the clock of its node."""
    return attempt.started_at, attempt.started_at + attempt.duration_s


def search(
    address: str, slots: int, trials: int, observer: Observer = lambda _: None
) -> list[AttemptRecord]:
    """Our search; its attempts in the order in which they began."""
    with Experiment.create(
        SPACE,
        sleep_one_second,
        objectives={"score": "max"},
        optimizer="random",
        trials=trials,
        workers=slots,
        engine="ray",
    ) as experiment:
        experiment.run(slots, observer, f"ray:{address}")
        attempts = experiment.store.attempts(experiment.id)
        return sorted(attempts, key=lambda each: each.started_at)


def ours(address: str, trials: int) -> dict[str, object]:
    """MorphML's row."""
    slots, busy, asked = NODES * SLOTS, load(), time.time()
    attempts = search(address, slots, trials + slots)
    return {
        "case": f"{WORK}, morphml",
        **figures(asked, [span_of(each) for each in attempts], slots),
        "overhead_ms": overhead_ms(attempts[slots:]),
        "load": busy,
    }


def tune(address: str, trials: int) -> dict[str, object]:
    """Ray Tune's row, for the same work on the same cluster."""
    slots, busy = NODES * SLOTS, load()
    command = [sys.executable, "-m", "benchmarks.ray_tune", address, str(slots)]
    done = subprocess.run(
        [*command, str(trials + slots)],
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    spans = [(start, end) for start, end in told["spans"]]
    return {
        "case": f"Ray Tune {ray.__version__}, {WORK}",
        **figures(told["asked"], spans, slots),
        "load": busy,
    }


def growing(nodes: RayNodes, trials: int) -> dict[str, object]:
    """A node comes when the search is under way: how soon does a trial begin there?"""
    joined: list[float] = []

    def add() -> None:
        nodes.add(SLOTS)
        joined.append(time.time())

    later = threading.Thread(target=add)

    def observe(progress: Progress) -> None:
        if progress.ended >= NODES * SLOTS and later.ident is None:
            later.start()

    busy = load()
    attempts = search(nodes.address, (NODES + 1) * SLOTS, trials, observe)
    later.join()
    # Names of workers are "NAME/SLOT"; the last that begins is the one of the new node.
    begins: dict[str, float] = {}
    for each in attempts:
        begins.setdefault(each.worker.partition("/")[0], each.started_at)
    used = len(begins) == NODES + 1
    return {
        "case": "a Ray node joins a search",
        "seconds": round(max(begins.values()) - joined[0], 2) if used else math.inf,
        "load": busy,
    }


def run(trials: int = 160) -> list[dict[str, object]]:
    """All rows of the table."""
    with ray_nodes(NODES, SLOTS) as nodes:
        address = nodes.address
        # Ray Tune starts a process for each trial: a quarter of them takes it longer than us all.
        return [ours(address, trials), tune(address, trials // 4), growing(nodes, 3 * trials)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=160)
    for row in run(parser.parse_args().trials):
        print(row)
