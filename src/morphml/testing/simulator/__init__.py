"""A simulator of masters and workers: virtual clock, event heap, and the machines of scheduling.

The tasks, workers, breakers, retry rules and policies are the very ones that a master runs; only
machines, time and misfortune are simulated. The same scenario, policy and seed give the same
course, of which ``Outcome.digest`` is the proof.

>>> from morphml.testing.simulator import Size, create_scenario, simulate
>>> scenario = create_scenario("homogeneous", Size(workers=4, tasks=40, mean_s=60.0))
>>> outcome = simulate(scenario, "fifo", seed=1, check=True)
>>> outcome.succeeded, outcome.bound_s <= outcome.makespan_s
(40, True)
"""

from morphml.testing.simulator.bounds import lower_bound
from morphml.testing.simulator.campaign import Case, run_campaign
from morphml.testing.simulator.durations import (
    Durations,
    Fixed,
    LogNormal,
    Measured,
    Pareto,
    Uniform,
)
from morphml.testing.simulator.finished import Finished, gaps
from morphml.testing.simulator.outcome import Outcome, Wait
from morphml.testing.simulator.scenario import Load, Scenario, Troubles, WorkerKind
from morphml.testing.simulator.scenarios import SCENARIOS, Size, create_scenario
from morphml.testing.simulator.simulation import simulate
from morphml.testing.simulator.summary import Summary, summarise
from morphml.testing.simulator.timeline import Timeline

__all__ = [
    "SCENARIOS",
    "Case",
    "Durations",
    "Finished",
    "Fixed",
    "Load",
    "LogNormal",
    "Measured",
    "Outcome",
    "Pareto",
    "Scenario",
    "Size",
    "Summary",
    "Timeline",
    "Troubles",
    "Uniform",
    "Wait",
    "WorkerKind",
    "create_scenario",
    "gaps",
    "lower_bound",
    "run_campaign",
    "simulate",
    "summarise",
]
