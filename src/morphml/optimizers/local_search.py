"""Local search: hill climbing over neighbours, with restarts (White et al., 2021).

Asynchronous: neighbours of the centre are tried in random order, and the climb moves on as soon as
one of them is better (first improvement). Neighbours tried before are not tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Answered, Asked, Event, Rejected
from morphml.optimizers.pareto import better
from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import point_key
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.unseen import unseen_draw
from morphml.space import Architecture, SearchSpace

#: Draws for an unseen point to restart from; the last is proposed, seen or not.
RESTART_DRAWS = 17


@dataclass(frozen=True, kw_only=True)
class LocalSearchSettings:
    """Settings of local search."""

    #: Random draws to begin with; the climb starts from the best of them; >= 1.
    starts: int = 10
    #: Neighbours of one centre that are considered at most, in the space's order; >= 1.
    neighbourhood: int = 1_000

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("local_search", "starts", self.starts, 1)
        require_least("local_search", "neighbourhood", self.neighbourhood, 1)


class LocalSearch:
    """Climbs from a random point until no neighbour is better, then restarts.

    While every neighbour is being evaluated, free slots try random points, and any result better
    than the centre becomes the centre. With several objectives "better" means "dominates". A known
    better neighbour is walked to without an evaluation. Failed and rejected points never are.
    """

    name: str = "local_search"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing; ``settings`` are those of ``LocalSearchSettings``."""
        self.space = space
        self._settings = read_settings(LocalSearchSettings, self.name, settings)
        self._record = Record()
        self._centre: Member | None = None
        #: Neighbours of the centre not tried yet, by key, in the space's order.
        self._open: dict[bytes, Architecture] = {}

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A neighbour of the centre not tried before, or a random point to restart from; O(1)."""
        if self._centre is not None and self._open and self._record.asked >= self._settings.starts:
            position = int(rng.integers(len(self._open)))
            neighbour = next(islice(self._open.values(), position, None))
            return Proposal(architecture=neighbour, parents=parents_of(self._centre))
        draw = unseen_draw(self.space, self._record.seen, rng, RESTART_DRAWS)
        return Proposal(architecture=draw)

    def observe(self, event: Event) -> None:
        """Move the climb; O(1), or O(neighbours) when the centre changes."""
        learned = self._record.observe(event)
        if isinstance(event, Asked | Answered | Rejected):
            self._open.pop(point_key(event.architecture), None)
        if learned is not None:
            self._learn(learned.member)

    def _learn(self, member: Member) -> None:
        centre = self._centre
        if centre is None or better(member.result, centre.result) or self._stuck(centre):
            self._move(member)

    def _stuck(self, centre: Member) -> bool:
        """Whether the climb is over: every neighbour was tried and none was better."""
        if self._open:
            return False
        parents = parents_of(centre)
        return not any(asked.parents == parents for asked in self._record.pending.values())

    def _move(self, centre: Member) -> None:
        """Climb from ``centre`` over known ground, and stop where something is left to try."""
        step: Member | None = centre
        while step is not None:
            self._centre = step
            every = self.space.neighbours(step.architecture)
            neighbours = {point_key(n): n for n in islice(every, self._settings.neighbourhood)}
            step = self._best_known(neighbours, step)
        self._open = {key: n for key, n in neighbours.items() if key not in self._record.seen}

    def _best_known(
        self, neighbours: Mapping[bytes, Architecture], centre: Member
    ) -> Member | None:
        best = centre
        for key, neighbour in neighbours.items():
            known = self._record.seen.member(key, neighbour)
            if known is not None and better(known.result, best.result):
                best = known
        return None if best is centre else best
