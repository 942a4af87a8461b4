"""Every optimizer by name, and how to make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from morphml.errors import OptimizerError
from morphml.hints import meant_or_known
from morphml.optimizers.contract import Optimizer
from morphml.optimizers.events import JSON
from morphml.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerEntry:
    """One line of the list that people choose from."""

    #: Module and class within ``morphml.optimizers``; imported when one is made.
    path: str
    #: When to use it, in one sentence.
    use: str
    #: What a proposal costs on a space of some ten decisions, one core, in words.
    cost: str
    #: Where it is described.
    source: str
    #: Optional packages without which it cannot be made.
    needs: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether all that it needs is here; imports nothing."""
        return all(_is_here(module) for module in self.needs)

    def make(self, space: SearchSpace, **settings: JSON) -> Optimizer:
        """A fresh one that knows nothing yet."""
        module, _, name = self.path.partition(":")
        made: Optimizer = getattr(import_module(f"morphml.optimizers.{module}"), name)(
            space, **settings
        )
        return made


#: Every optimizer. The key is the name stored with experiments.
OPTIMIZERS: Mapping[str, OptimizerEntry] = {
    "auto": OptimizerEntry(
        path="auto:Auto",
        use="when in doubt: two models for the first 300 trials, evolution afterwards",
        cost="up to 40 ms, then 0.1 ms",
        source="docs/optimizers.md",
    ),
    "random": OptimizerEntry(
        path="random_search:RandomSearch",
        use="as a yardstick, and where every trial must be independent of all others",
        cost="below 0.1 ms",
        source="Bergstra and Bengio, 2012",
    ),
    "quasi_random": OptimizerEntry(
        path="quasi_random:QuasiRandom",
        use="to cover a space of few decisions evenly",
        cost="below 0.1 ms",
        source="Halton, 1960; Braaten and Weller, 1979",
    ),
    "evolution": OptimizerEntry(
        path="regularized_evolution:RegularizedEvolution",
        use="from about 100 trials on; robust to noise and to many workers",
        cost="below 0.1 ms",
        source="Real et al., 2019",
    ),
    "genetic": OptimizerEntry(
        path="genetic_algorithm:GeneticAlgorithm",
        use="where good parts of different architectures combine, and for several objectives",
        cost="0.1 ms",
        source="Holland, 1975; Whitley, 1989",
    ),
    "local_search": OptimizerEntry(
        path="local_search:LocalSearch",
        use="for few trials with little noise; neighbours must be meaningful",
        cost="below 0.1 ms",
        source="White et al., 2021",
    ),
    "bananas": OptimizerEntry(
        path="bananas:Bananas",
        use="for up to about 1,000 trials of minutes each, over graphs",
        cost="3 to 40 ms; trains its networks after every tenth result",
        source="White et al., 2021",
    ),
    "simulated_annealing": OptimizerEntry(
        path="simulated_annealing:SimulatedAnnealing",
        use="where local search gets stuck: many shallow optima",
        cost="below 0.1 ms",
        source="Kirkpatrick et al., 1983",
    ),
    "differential_evolution": OptimizerEntry(
        path="differential_evolution:DifferentialEvolution",
        use="for spaces of numbers, from about 200 trials on",
        cost="below 0.1 ms",
        source="Storn and Price, 1997",
    ),
    "particle_swarm": OptimizerEntry(
        path="particle_swarm:ParticleSwarm",
        use="for smooth spaces of few numbers",
        cost="below 0.1 ms",
        source="Kennedy and Eberhart, 1995; Clerc and Kennedy, 2002",
    ),
    "portfolio": OptimizerEntry(
        path="portfolio:Portfolio",
        use="where nobody knows which of local search, evolution and genetic fits",
        cost="0.3 ms",
        source="Fialho et al., 2010; Ansel et al., 2014",
    ),
    "nsga2": OptimizerEntry(
        path="nsga2:Nsga2",
        use="for several objectives, from about 200 trials on",
        cost="0.2 ms",
        source="Deb et al., 2002",
    ),
    "gaussian_process": OptimizerEntry(
        path="gaussian_process:GaussianProcess",
        use="for up to about 500 trials that take seconds or more each",
        cost="2 to 20 ms; grows with the results up to its window of 400",
        source="Jones et al., 1998; Ru et al., 2021",
    ),
    "tpe": OptimizerEntry(
        path="tpe:Tpe",
        use="to compare with Optuna's default, and for spaces of many conditional decisions",
        cost="5 to 40 ms; grows with the results up to its window of 500",
        source="Bergstra et al., 2011; Watanabe, 2023; by Optuna",
        needs=("optuna",),
    ),
    "smac": OptimizerEntry(
        path="smac:Smac",
        use="for up to some 1,000 trials, many decisions of every kind",
        cost="5 to 15 ms; grows with the results up to its window of 1,000",
        source="Hutter et al., 2011; Lindauer et al., 2022; the forest by smac",
        needs=("smac",),
    ),
    "optuna_gp": OptimizerEntry(
        path="optuna_gp:OptunaGp",
        use="for few trials that take minutes or more each, over numbers",
        cost="100 to 300 ms",
        source="Jones et al., 1998; by Optuna",
        needs=("optuna", "torch", "scipy"),
    ),
    "nsga3": OptimizerEntry(
        path="nsga3:Nsga3",
        use="for three objectives and more, from about 200 trials on",
        cost="10 ms",
        source="Deb and Jain, 2014; by Optuna",
        needs=("optuna",),
    ),
    "cma_es": OptimizerEntry(
        path="cma_es:CmaEs",
        use="for spaces of numbers that depend on each other, from about 200 trials on",
        cost="0.3 ms",
        source="Hansen and Ostermeier, 2001; by cmaes",
        needs=("cmaes",),
    ),
}


def _is_here(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # imported by hand, without a specification
        return False


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
        hint = meant_or_known(name, OPTIMIZERS)
        raise OptimizerError(f"there is no such optimizer{hint}", optimizer=name)
    return entry.make(space, **settings)
