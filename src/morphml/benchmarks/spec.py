"""A benchmark's search as the search machine describes its own."""

from __future__ import annotations

from morphml.benchmarks.problem import Problem
from morphml.optimizers import Optimizer
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    OptimizerReference,
)


def spec_of(problem: Problem, optimizer: Optimizer, seed: int, budget: Budget) -> ExperimentSpec:
    """The search of a problem by one optimizer; it is not stored and calls no evaluator."""
    return ExperimentSpec(
        name="benchmark",
        space=None,
        space_digest="",
        objectives=tuple(each.objective for each in problem.measures),
        optimizer=OptimizerReference(
            name=optimizer.name, version=optimizer.version, settings=optimizer.settings
        ),
        budget=budget,
        evaluator=EvaluatorReference(kind="value", reference="benchmark"),
        seed=seed,
    )
