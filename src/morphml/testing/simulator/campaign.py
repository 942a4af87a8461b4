"""Many runs: several scenarios, policies and seeds, on as many processors as there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from morphml.testing.simulator.outcome import Outcome
from morphml.testing.simulator.scenario import Scenario
from morphml.testing.simulator.simulation import simulate
from morphml.testing.simulator.summary import Summary, summarise


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is run with every seed."""

    scenario: Scenario
    policy: str


@dataclass(frozen=True, slots=True)
class _Run:
    case: Case
    seed: int

    def __call__(self) -> Outcome:
        return simulate(self.case.scenario, self.case.policy, self.seed)


def run_campaign(
    cases: Sequence[Case],
    seeds: Sequence[int],
    *,
    processes: int = 1,
    told: Callable[[int, int], None] | None = None,
) -> list[Summary]:
    """A summary of each case over all seeds, in the order of the cases.

    Args:
        cases: scenarios and policies.
        seeds: the same for every case, so that all policies meet the same misfortunes.
        processes: how many runs go on at once; one stays in this process.
        told: is called with (runs that ended, runs in all) after each.
    """
    runs = [_Run(case, seed) for case in cases for seed in seeds]
    outcomes: list[Outcome] = []
    for outcome in _outcomes(runs, processes):
        outcomes.append(outcome)
        if told is not None:
            told(len(outcomes), len(runs))
    each = len(seeds)
    return [summarise(outcomes[n * each : (n + 1) * each]) for n in range(len(cases))]


def _outcomes(runs: Sequence[_Run], processes: int) -> Iterator[Outcome]:
    if processes <= 1 or len(runs) == 1:
        yield from map(_carry_out, runs)
        return
    # A fork of a process with threads may hang; a spawned one begins afresh.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(runs)), mp_context=context) as pool:
        yield from pool.map(_carry_out, runs)


def _carry_out(run: _Run) -> Outcome:
    return run()
