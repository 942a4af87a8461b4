"""Ask/tell optimizers: one algorithm per file, over the log of one experiment."""

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
from morphml.optimizers.genetic_algorithm import GeneticAlgorithm, GeneticSettings
from morphml.optimizers.local_search import LocalSearch, LocalSearchSettings
from morphml.optimizers.random_search import RandomSearch
from morphml.optimizers.registry import (
    AUTO,
    OPTIMIZERS,
    OptimizerEntry,
    choose_optimizer,
    create_optimizer,
)
from morphml.optimizers.regularized_evolution import EvolutionSettings, RegularizedEvolution

__all__ = [
    "AUTO",
    "JSON",
    "OPTIMIZERS",
    "Answered",
    "Asked",
    "Cancelled",
    "Event",
    "EvolutionSettings",
    "GeneticAlgorithm",
    "GeneticSettings",
    "LocalSearch",
    "LocalSearchSettings",
    "Optimizer",
    "OptimizerEntry",
    "Paused",
    "Promoted",
    "Proposal",
    "RandomSearch",
    "RegularizedEvolution",
    "Rejected",
    "Reported",
    "Told",
    "choose_optimizer",
    "create_optimizer",
]
