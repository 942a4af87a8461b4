"""A small search for tests: asks, answers, rejects, fails and tells as a plan says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphml.optimizers import (
    Answered,
    Asked,
    Cancelled,
    Event,
    Optimizer,
    Paused,
    Promoted,
    Proposal,
    Rejected,
    Reported,
    Told,
)
from morphml.seeds import generator
from morphml.space import Architecture, SearchSpace

#: Proposals for one number before the play draws by itself.
PATIENCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a play looks like; shares are from 0 to 1."""

    trials: int = 60
    #: Trials under way at the same time; told in random order.
    pending: int = 1
    seed: int = 0
    failed: float = 0.0
    rejected: float = 0.0
    cancelled: float = 0.0
    #: Results that violate a constraint.
    infeasible: float = 0.0
    #: Trials that report, pause and are promoted on their way.
    paused: float = 0.0
    objectives: int = 1


class Play:
    """One search of ``space`` with ``optimizer``; everything observed is in ``log``."""

    def __init__(self, optimizer: Optimizer, space: SearchSpace, plan: Plan) -> None:
        self.optimizer = optimizer
        self.space = space
        self.plan = plan
        #: Every event, in order.
        self.log: list[Event] = []
        #: Every proposal made, duplicates and rejected ones included.
        self.proposals: list[Proposal] = []
        #: Numbers that failed.
        self.failed: set[int] = set()
        self._pending: list[Asked] = []
        self._taken: dict[tuple[object, ...], int] = {}
        self._results: dict[int, tuple[float, ...]] = {}
        self._chance = generator(plan.seed, 0, "play")

    def run(self) -> Play:
        """Play to the end of the plan; returns itself."""
        for number in range(self.plan.trials):
            self._take(number)
            while len(self._pending) >= self.plan.pending:
                self._finish_one()
        while self._pending:
            self._finish_one()
        return self

    def next_ask(self, optimizer: Optimizer | None = None) -> Proposal:
        """What the optimizer, or another one in its place, proposes after the play."""
        rng = generator(self.plan.seed, self.plan.trials, "ask/0")
        return (optimizer or self.optimizer).ask(self.plan.trials, rng)

    def _take(self, number: int) -> None:
        for attempt in range(PATIENCE):
            rng = generator(self.plan.seed, number, f"ask/{attempt}")
            proposal = self.optimizer.ask(number, rng)
            self.proposals.append(proposal)
            if self._try(number, proposal):
                return
        draw = self.space.sample(generator(self.plan.seed, number, "draw"))
        self._ask(number, Proposal(architecture=draw))

    def _try(self, number: int, proposal: Proposal) -> bool:
        architecture = proposal.architecture
        source = self._taken.get(architecture.vector)
        if source is not None:
            values = self._results.get(source)
            self._see(Answered(architecture=architecture, source=source, values=values))
            return False
        if self._chance.random() < self.plan.rejected:
            self._see(Rejected(architecture=architecture, constraint="params <= 1"))
            return False
        self._ask(number, proposal)
        return True

    def _ask(self, number: int, proposal: Proposal) -> None:
        architecture = proposal.architecture
        self._taken[architecture.vector] = number
        asked = Asked(
            number=number,
            architecture=architecture,
            parents=proposal.parents,
            note=proposal.note,
        )
        self._pending.append(asked)
        self._see(asked)

    def _finish_one(self) -> None:
        asked = self._pending.pop(int(self._chance.integers(len(self._pending))))
        number = asked.number
        if self._chance.random() < self.plan.cancelled:
            self._see(Cancelled(number=number))
            return
        values = score(asked.architecture, self.plan.objectives)
        if self._chance.random() < self.plan.paused:
            self._see(Reported(number=number, step=1, values=values))
            self._see(Paused(number=number, step=1))
            self._see(Promoted(number=number, step=1))
        if self._chance.random() < self.plan.failed:
            self.failed.add(number)
            self._see(Told(number=number, values=None, duration=1.0))
            return
        self._results[number] = values
        violation = float(self._chance.random() < self.plan.infeasible)
        self._see(Told(number=number, values=values, violation=violation, duration=1.0))

    def _see(self, event: Event) -> None:
        self.log.append(event)
        self.optimizer.observe(event)


def score(architecture: Architecture, objectives: int = 1) -> tuple[float, ...]:
    """Values of a smooth toy problem over the encoding, minimised; the objectives disagree."""
    encoded = np.nan_to_num(architecture.space.encode(architecture))
    targets = np.linspace(0.2, 0.9, objectives)
    return tuple(float(np.abs(encoded - target).sum()) for target in targets)
