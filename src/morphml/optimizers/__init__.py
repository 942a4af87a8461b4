"""Ask/tell optimizers: one algorithm per file, over the log of one experiment.

The algorithms are imported when they are first named, so that a master which makes one of them does
not hold all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from morphml.optimizers.contract import Optimizer, Proposal
from morphml.optimizers.events import (
    JSON,
    Answered,
    Asked,
    Cancelled,
    Event,
    Paused,
    Promoted,
    Rejected,
    Reported,
    Told,
)
from morphml.optimizers.registry import OPTIMIZERS, OptimizerEntry, create_optimizer

if TYPE_CHECKING:  # the same names once more, for editors and type checkers
    from morphml.optimizers.auto import Auto
    from morphml.optimizers.bananas import Bananas
    from morphml.optimizers.differential_evolution import DifferentialEvolution
    from morphml.optimizers.gaussian_process import GaussianProcess
    from morphml.optimizers.genetic_algorithm import GeneticAlgorithm
    from morphml.optimizers.local_search import LocalSearch
    from morphml.optimizers.nsga2 import Nsga2
    from morphml.optimizers.particle_swarm import ParticleSwarm
    from morphml.optimizers.portfolio import Portfolio
    from morphml.optimizers.quasi_random import QuasiRandom
    from morphml.optimizers.random_search import RandomSearch
    from morphml.optimizers.regularized_evolution import RegularizedEvolution
    from morphml.optimizers.simulated_annealing import SimulatedAnnealing

__all__ = [
    "JSON",
    "OPTIMIZERS",
    "Answered",
    "Asked",
    "Auto",
    "Bananas",
    "Cancelled",
    "DifferentialEvolution",
    "Event",
    "GaussianProcess",
    "GeneticAlgorithm",
    "LocalSearch",
    "Nsga2",
    "Optimizer",
    "OptimizerEntry",
    "ParticleSwarm",
    "Paused",
    "Portfolio",
    "Promoted",
    "Proposal",
    "QuasiRandom",
    "RandomSearch",
    "RegularizedEvolution",
    "Rejected",
    "Reported",
    "SimulatedAnnealing",
    "Told",
    "create_optimizer",
]


def __getattr__(name: str) -> object:
    """Import an algorithm when its class is first named (PEP 562)."""
    for entry in OPTIMIZERS.values():
        module, _, class_name = entry.path.partition(":")
        if class_name == name:
            found: object = getattr(import_module(f"morphml.optimizers.{module}"), name)
            return found
    raise AttributeError(f"module 'morphml.optimizers' has no attribute {name!r}")
