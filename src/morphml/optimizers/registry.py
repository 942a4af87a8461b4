"""Every optimizer by name, and how to make one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from morphml.errors import OptimizerError
from morphml.optimizers.auto import Auto
from morphml.optimizers.bananas import Bananas
from morphml.optimizers.contract import Optimizer
from morphml.optimizers.differential_evolution import DifferentialEvolution
from morphml.optimizers.events import JSON
from morphml.optimizers.gaussian_process import GaussianProcess
from morphml.optimizers.genetic_algorithm import GeneticAlgorithm
from morphml.optimizers.local_search import LocalSearch
from morphml.optimizers.nsga2 import Nsga2
from morphml.optimizers.particle_swarm import ParticleSwarm
from morphml.optimizers.portfolio import Portfolio
from morphml.optimizers.quasi_random import QuasiRandom
from morphml.optimizers.random_search import RandomSearch
from morphml.optimizers.regularized_evolution import RegularizedEvolution
from morphml.optimizers.settings import nearest
from morphml.optimizers.simulated_annealing import SimulatedAnnealing
from morphml.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerEntry:
    """One line of the list that people choose from."""

    #: Makes one: ``factory(space, **settings)``.
    factory: Callable[..., Optimizer]
    #: When to use it, in one sentence.
    use: str
    #: What a proposal costs on a space of some ten decisions, one core, in words.
    cost: str
    #: Where it is described.
    source: str


#: Every optimizer. The key is the name stored with experiments.
OPTIMIZERS: Mapping[str, OptimizerEntry] = {
    "auto": OptimizerEntry(
        factory=Auto,
        use="when in doubt: a model for the first 300 trials, evolution afterwards",
        cost="up to 20 ms, then 0.1 ms",
        source="docs/optimizers.md",
    ),
    "random": OptimizerEntry(
        factory=RandomSearch,
        use="as a yardstick, and where every trial must be independent of all others",
        cost="below 0.1 ms",
        source="Bergstra and Bengio, 2012",
    ),
    "quasi_random": OptimizerEntry(
        factory=QuasiRandom,
        use="to cover a space of few decisions evenly",
        cost="below 0.1 ms",
        source="Halton, 1960; Braaten and Weller, 1979",
    ),
    "evolution": OptimizerEntry(
        factory=RegularizedEvolution,
        use="from about 100 trials on; robust to noise and to many workers",
        cost="below 0.1 ms",
        source="Real et al., 2019",
    ),
    "genetic": OptimizerEntry(
        factory=GeneticAlgorithm,
        use="where good parts of different architectures combine, and for several objectives",
        cost="0.1 ms",
        source="Holland, 1975; Whitley, 1989",
    ),
    "local_search": OptimizerEntry(
        factory=LocalSearch,
        use="for few trials with little noise; neighbours must be meaningful",
        cost="below 0.1 ms",
        source="White et al., 2021",
    ),
    "bananas": OptimizerEntry(
        factory=Bananas,
        use="for up to about 1,000 trials of minutes each, over graphs",
        cost="3 to 60 ms; trains its networks after every tenth result",
        source="White et al., 2021",
    ),
    "simulated_annealing": OptimizerEntry(
        factory=SimulatedAnnealing,
        use="where local search gets stuck: many shallow optima",
        cost="below 0.1 ms",
        source="Kirkpatrick et al., 1983",
    ),
    "differential_evolution": OptimizerEntry(
        factory=DifferentialEvolution,
        use="for spaces of numbers, from about 200 trials on",
        cost="below 0.1 ms",
        source="Storn and Price, 1997",
    ),
    "particle_swarm": OptimizerEntry(
        factory=ParticleSwarm,
        use="for smooth spaces of few numbers",
        cost="below 0.1 ms",
        source="Kennedy and Eberhart, 1995; Clerc and Kennedy, 2002",
    ),
    "portfolio": OptimizerEntry(
        factory=Portfolio,
        use="where nobody knows which of local search, evolution and genetic fits",
        cost="0.3 ms",
        source="Fialho et al., 2010; Ansel et al., 2014",
    ),
    "nsga2": OptimizerEntry(
        factory=Nsga2,
        use="for several objectives, from about 200 trials on",
        cost="0.2 ms",
        source="Deb et al., 2002",
    ),
    "gaussian_process": OptimizerEntry(
        factory=GaussianProcess,
        use="for up to about 500 trials that take seconds or more each",
        cost="2 to 20 ms; grows with the results up to its window of 400",
        source="Jones et al., 1998; Ru et al., 2021",
    ),
}


def create_optimizer(name: str, space: SearchSpace, **settings: JSON) -> Optimizer:
    """A fresh optimizer that knows nothing yet.

    Args:
        name: a key of ``OPTIMIZERS``.
        space: what it proposes members of.
        settings: its settings by name; defaults are filled in.

    Raises:
        OptimizerError: an unknown name or setting, with the nearest one; a value out of range.
    """
    entry = OPTIMIZERS.get(name)
    if entry is None:
        hint = nearest(name, OPTIMIZERS)
        raise OptimizerError(f"there is no such optimizer; {hint}", optimizer=name)
    return entry.factory(space, **settings)
