"""A bandit over optimizers: whoever brought new bests lately is asked more often.

Credit is the area under the curve of successes in a sliding window (Fialho et al., 2010; OpenTuner,
Ansel et al., 2014), balanced against how seldom each was asked by the upper confidence bound of
Auer et al. (2002). All of them learn from every result, whoever proposed it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Optimizer, Proposal
from morphml.optimizers.events import JSON, Answered, Asked, Cancelled, Event, Rejected, Told
from morphml.optimizers.front import Front
from morphml.optimizers.genetic_algorithm import GeneticAlgorithm
from morphml.optimizers.local_search import LocalSearch
from morphml.optimizers.pareto import Result
from morphml.optimizers.regularized_evolution import RegularizedEvolution
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class PortfolioSettings:
    """Settings of the portfolio."""

    #: Results that credit is given for, the youngest count most; >= 1.
    window: int = 100
    #: Weight of having been asked seldom, >= 0.
    exploration: float = 0.1

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("portfolio", "window", self.window, 1)
        require_least("portfolio", "exploration", self.exploration, 0)


class Portfolio:
    """Local search, regularized evolution and the genetic algorithm take turns by merit.

    A success is a result that no earlier one is as good as: with several objectives, one that joins
    the front. Who made a proposal stands in its note.
    """

    name: str = "portfolio"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``PortfolioSettings``."""
        self.space = space
        self._settings = read_settings(PortfolioSettings, self.name, settings)
        self._arms: dict[str, Optimizer] = {
            arm.name: arm
            for arm in (LocalSearch(space), RegularizedEvolution(space), GeneticAlgorithm(space))
        }
        #: Who asked for the trials under way.
        self._asked_by: dict[int, str] = {}
        #: (arm, success), oldest first; proposals that were known or refused are no successes.
        self._history: deque[tuple[str, bool]] = deque(maxlen=self._settings.window)
        self._front = Front()

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A proposal of the optimizer with the most merit; O(window) beyond its own cost."""
        arm = self._arms[self._chosen()]
        proposal = arm.ask(number, rng)
        return Proposal(
            architecture=proposal.architecture, parents=proposal.parents, note={"by": arm.name}
        )

    def observe(self, event: Event) -> None:
        """Let all learn, and give credit; O(front)."""
        for arm in self._arms.values():
            arm.observe(event)
        match event:
            case Asked():
                by = None if event.note is None else event.note.get("by")
                if isinstance(by, str) and by in self._arms:
                    self._asked_by[event.number] = by
            case Told():
                by = self._asked_by.pop(event.number, None)
                improved = event.values is not None and self._front.add(
                    Result(event.violation, event.values)
                )
                if by is not None:
                    self._history.append((by, improved))
            case Cancelled():
                self._asked_by.pop(event.number, None)
            case Answered() | Rejected():
                # Whoever is in charge now proposed it, and nothing came of it.
                self._history.append((self._chosen(), False))
            case _:
                pass

    def _chosen(self) -> str:
        """The arm of the highest bound; under way counts as used, so that slots spread."""
        uses = dict.fromkeys(self._arms, 0)
        areas = dict.fromkeys(self._arms, 0.0)
        for arm, success in self._history:
            uses[arm] += 1
            areas[arm] += uses[arm] * success
        waiting = dict.fromkeys(self._arms, 0)
        for arm in self._asked_by.values():
            waiting[arm] += 1
        total = len(self._history) + len(self._asked_by)

        def bound(arm: str) -> float:
            used = uses[arm] + waiting[arm]
            if used == 0:
                return math.inf
            merit = 2.0 * areas[arm] / (uses[arm] * (uses[arm] + 1)) if uses[arm] else 0.0
            return merit + self._settings.exploration * math.sqrt(2.0 * math.log(total) / used)

        return max(self._arms, key=bound)
