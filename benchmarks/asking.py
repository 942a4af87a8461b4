"""Processor time of asking and telling, and memory, of one optimizer after many results."""

from __future__ import annotations

import gc
import time
from itertools import pairwise
from typing import Any

import psutil

from morphml.optimizers import Asked, Optimizer, Told, create_optimizer
from morphml.seeds import generator
from morphml.space import SearchSpace
from morphml.testing.example_spaces import flat_space

#: Asks and tells over which a figure is amortised: models are fitted at least every 20 of them.
ASKS = 100


def problem_space() -> SearchSpace:
    """Six categorical decisions of ten options: a million members."""
    return flat_space(decisions=6, options=10)


def rugged(vector: tuple[Any, ...]) -> float:
    """A value with many local optima."""
    pairs = pairwise(vector)
    return float(sum(vector) + sum(7 * (3 * a + 5 * b) % 11 for a, b in pairs))


def told(optimizer: Optimizer, results: int) -> None:
    """Let it learn that so many random members were tried, as a log says it after a restart."""
    rng = generator(0, 0, "told")
    for number in range(results):
        member = optimizer.space.sample(rng)
        optimizer.observe(Asked(number=number, architecture=member))
        optimizer.observe(Told(number=number, values=(rugged(member.vector),)))


def milliseconds(name: str, results: int, asks: int = ASKS) -> float:
    """Of one ask and tell after so many results, amortised over ``asks``, four under way."""
    optimizer = create_optimizer(name, problem_space())
    told(optimizer, results)
    running: list[tuple[int, float]] = []
    began = time.process_time()
    for number in range(results, results + asks):
        proposal = optimizer.ask(number, generator(0, number, "ask/0"))
        optimizer.observe(
            Asked(
                number=number,
                architecture=proposal.architecture,
                parents=proposal.parents,
                note=proposal.note,
            )
        )
        running.append((number, rugged(proposal.architecture.vector)))
        if len(running) == 4:
            ended, value = running.pop(0)
            optimizer.observe(Told(number=ended, values=(value,)))
    return 1e3 * (time.process_time() - began) / asks


def measure_asks(name: str) -> dict[str, object]:
    """Milliseconds after 1,000 and 10,000 results, and what of them it looks at."""
    window = create_optimizer(name, problem_space()).settings.get("window")
    sees = f"{window}: half the youngest, else the best" if window else ""
    # Whatever is imported at a first ask is no part of the figures.
    milliseconds(name, 20, 2)
    return {
        "case": f"ask and tell, {name}",
        "ms_at_1000": round(milliseconds(name, 1_000), 3),
        "ms_at_10000": round(milliseconds(name, 10_000), 3),
        "sees": sees,
    }


def measure_memory(name: str, trials: int) -> dict[str, object]:
    """Megabytes that one search grows by."""
    optimizer = create_optimizer(name, problem_space())
    gc.collect()
    before = psutil.Process().memory_info().rss
    told(optimizer, trials)
    gc.collect()
    grown = psutil.Process().memory_info().rss - before
    return {"case": f"memory, {name}", "trials": trials, "rss_mb": round(grown / 2**20, 1)}
