"""The tasks of one run, drawn from a scenario: how long each takes, and what a policy may know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphml.ids import ExperimentId
from morphml.seeds import generator
from morphml.testing.simulator.scenario import Load, Scenario

#: Floating-point operations that a worker of speed 1 does in a second; only ratios matter.
FLOPS = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All tasks of a run by number, in the order in which they were submitted.

    ``loads[load_of[i]]`` is the load of task ``i``.
    """

    loads: tuple[Load, ...]
    load_of: list[int]
    experiments: tuple[ExperimentId, ...]
    #: Seconds on a worker of speed 1, without trouble.
    seconds: list[float]
    #: Expected floating-point operations, with an error.
    costs: list[float]
    #: The data set of each task; None for none.
    data: list[str | None]


def draw_work(scenario: Scenario, seed: int) -> Work:
    """The tasks of a run."""
    load_of: list[int] = []
    seconds: list[float] = []
    costs: list[float] = []
    data: list[str | None] = []
    for number, load in enumerate(scenario.loads):
        drawn = load.durations.draw(generator(seed, number, "durations"), load.count)
        error = generator(seed, number, "costs").lognormal(0.0, scenario.cost_error, load.count)
        load_of += [number] * load.count
        seconds += drawn.tolist()
        costs += (drawn * error * FLOPS).tolist()
        data += _data_sets(load, generator(seed, number, "data"))
    names = tuple(ExperimentId(load.name) for load in scenario.loads)
    return Work(
        loads=scenario.loads,
        load_of=load_of,
        experiments=names,
        seconds=seconds,
        costs=costs,
        data=data,
    )


def _data_sets(load: Load, rng: np.random.Generator) -> list[str | None]:
    if not load.data_sets:
        return [None] * load.count
    weights = np.arange(1, load.data_sets + 1) ** -load.skew
    chosen = rng.choice(load.data_sets, load.count, p=weights / weights.sum())
    return [f"{load.name}-data-{number}" for number in chosen.tolist()]
