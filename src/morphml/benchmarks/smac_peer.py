"""SMAC on a problem by its own loop: the facade for hyperparameter optimisation, as it comes.

Its loop orders configurations by Python's string hash, so a seed does not fix a search.
"""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morphml.benchmarks.playing import Tally
from morphml.benchmarks.problem import Problem
from morphml.benchmarks.run import Run, RunKey
from morphml.space import Architecture
from morphml.space.decisions import Decision, Kind

if TYPE_CHECKING:
    from ConfigSpace import Configuration
    from ConfigSpace.hyperparameters import Hyperparameter
    from smac import HyperparameterOptimizationFacade
    from smac.runhistory.dataclasses import TrialValue

#: The cost of a failed evaluation, which has to be finite for its model.
CRASH_COST = 1e6


def play_smac(problem: Problem, key: RunKey) -> Run:
    """A search by SMAC, every trial an evaluation, whether it repeats a known point or not.

    All decisions are suggested; those that are inactive in a member change nothing.
    """
    tally = Tally(problem)
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("smac").setLevel(logging.CRITICAL)
        facade = _facade(problem, key, Path(folder))
        for _ in range(key.trials):
            began = time.process_time()
            info = facade.ask()
            seconds += time.process_time() - began
            metrics = tally.look_up(_member(problem, info.config))
            began = time.process_time()
            facade.tell(info, _value(problem, metrics), save=False)
            seconds += time.process_time() - began
    return tally.run(key, {}, answered=0, seconds=seconds)


def _facade(problem: Problem, key: RunKey, folder: Path) -> HyperparameterOptimizationFacade:
    from ConfigSpace import ConfigurationSpace  # noqa: PLC0415 optional, takes seconds
    from smac import HyperparameterOptimizationFacade, Scenario  # noqa: PLC0415 as above

    space = ConfigurationSpace(seed=key.seed)
    decisions = enumerate(problem.space.decisions)
    space.add([_hyperparameter(place, decision) for place, decision in decisions])
    names = [measure.objective.name for measure in problem.measures]
    scenario = Scenario(
        space,
        objectives=names if len(names) > 1 else names[0],
        crash_cost=[CRASH_COST] * len(names) if len(names) > 1 else CRASH_COST,
        deterministic=True,
        n_trials=key.trials,
        seed=key.seed,
        output_directory=folder,
    )
    return HyperparameterOptimizationFacade(scenario, _never, logging_level=False, overwrite=True)


def _never(config: Configuration, seed: int = 0) -> float:
    """What SMAC would call if it were not told."""
    raise NotImplementedError


def _member(problem: Problem, config: Configuration) -> Architecture:
    codes = [config[f"d{place}"] for place in range(len(problem.space.decisions))]
    pairs = zip(problem.space.decisions, codes, strict=True)
    return problem.space.decode([decision.encode(code) for decision, code in pairs])


def _value(problem: Problem, metrics: Mapping[str, float] | None) -> TrialValue:
    from smac.runhistory.dataclasses import TrialValue  # noqa: PLC0415 as above
    from smac.runhistory.enumerations import StatusType  # noqa: PLC0415 as above

    if metrics is None:
        costs = [CRASH_COST] * len(problem.measures)
    else:
        costs = [m.objective.minimised(metrics[m.objective.name]) for m in problem.measures]
    return TrialValue(
        cost=costs if len(costs) > 1 else costs[0],
        status=StatusType.CRASHED if metrics is None else StatusType.SUCCESS,
    )


def _hyperparameter(place: int, decision: Decision) -> Hyperparameter[Any, Any]:
    """The decision by its place: its path may hold characters that names there may not."""
    from ConfigSpace import Categorical, Float, Integer  # noqa: PLC0415 as above

    name = f"d{place}"
    match decision.kind:
        case Kind.REAL:
            return Float(name, (decision.low, decision.high), log=decision.log)
        case Kind.INTEGER if decision.low < decision.high:
            return Integer(name, (int(decision.low), int(decision.high)), log=decision.log)
        case _:
            return Categorical(name, list(range(int(decision.low), int(decision.high) + 1)))
