"""Ask/tell optimizers: one algorithm per file, over the log of one experiment."""

from morphml.optimizers.auto import Auto, AutoSettings
from morphml.optimizers.bananas import Bananas, BananasSettings
from morphml.optimizers.contract import Optimizer, Proposal
from morphml.optimizers.differential_evolution import (
    DifferentialEvolution,
    DifferentialEvolutionSettings,
)
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
from morphml.optimizers.gaussian_process import GaussianProcess, GaussianProcessSettings
from morphml.optimizers.genetic_algorithm import GeneticAlgorithm, GeneticSettings
from morphml.optimizers.local_search import LocalSearch, LocalSearchSettings
from morphml.optimizers.nsga2 import Nsga2, Nsga2Settings
from morphml.optimizers.particle_swarm import ParticleSwarm, ParticleSwarmSettings
from morphml.optimizers.portfolio import Portfolio, PortfolioSettings
from morphml.optimizers.quasi_random import QuasiRandom
from morphml.optimizers.random_search import RandomSearch
from morphml.optimizers.registry import (
    OPTIMIZERS,
    OptimizerEntry,
    create_optimizer,
)
from morphml.optimizers.regularized_evolution import EvolutionSettings, RegularizedEvolution
from morphml.optimizers.simulated_annealing import AnnealingSettings, SimulatedAnnealing

__all__ = [
    "JSON",
    "OPTIMIZERS",
    "AnnealingSettings",
    "Answered",
    "Asked",
    "Auto",
    "AutoSettings",
    "Bananas",
    "BananasSettings",
    "Cancelled",
    "DifferentialEvolution",
    "DifferentialEvolutionSettings",
    "Event",
    "EvolutionSettings",
    "GaussianProcess",
    "GaussianProcessSettings",
    "GeneticAlgorithm",
    "GeneticSettings",
    "LocalSearch",
    "LocalSearchSettings",
    "Nsga2",
    "Nsga2Settings",
    "Optimizer",
    "OptimizerEntry",
    "ParticleSwarm",
    "ParticleSwarmSettings",
    "Paused",
    "Portfolio",
    "PortfolioSettings",
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
