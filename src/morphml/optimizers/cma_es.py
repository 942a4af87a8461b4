"""CMA-ES over the encoding, by the library ``cmaes`` (Hansen and Ostermeier, 2001).

Asynchronous: a generation ends with every ``population_size`` results, whichever generation they
were drawn in. The point that was drawn stands in the note, since rounding to a member loses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from morphml.errors import OptimizerError
from morphml.optimizers.contract import Proposal
from morphml.optimizers.cube import Floats, as_text, from_text
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.pareto import Result, best_first, better
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import point_key
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.study import require_installed
from morphml.optimizers.surrogate.single_thread import single_thread
from morphml.optimizers.unseen import unseen_walk
from morphml.seeds import generator
from morphml.space import SearchSpace

if TYPE_CHECKING:
    from cmaes import CMA

#: Draws in a row, after which a known point is mutated until it is unseen.
TRIES = 4
#: Decisions at most: their points must fit into a note.
MOST = 1_400


@dataclass(frozen=True, kw_only=True)
class CmaEsSettings:
    """Settings of CMA-ES."""

    #: Results in a generation, >= 4; 0: 4 + 3 ln(decisions).
    population_size: int = 0
    #: Standard deviation of the first draws, in edges of the unit cube, > 0.
    step: float = 0.3

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.population_size != 0:
            require_least("cma_es", "population_size", self.population_size, 4)
        require_least("cma_es", "step", self.step, 1e-6)


class CmaEs:
    """Draws from a normal distribution that follows good results.

    Meant for spaces of numbers; categorical decisions are rounded to the nearest option. When the
    distribution has shrunk to a point, or nothing got better for long, it begins anew elsewhere.
    With several objectives a generation is ranked by front and crowding.
    """

    name: str = "cma_es"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``CmaEsSettings``."""
        require_installed(self.name, "cmaes")
        self.space = space
        self._settings = read_settings(CmaEsSettings, self.name, settings)
        if len(space.decisions) > MOST:
            raise OptimizerError(
                f"takes at most {MOST} decisions, got {len(space.decisions)}", optimizer=self.name
            )
        #: The library wants two dimensions at least; a second one has no effect.
        self._width = max(2, len(space.decisions))
        self._size = self._settings.population_size or 4 + int(3 * log(self._width))
        #: Generations without a better result after which it begins anew, as the paper has it.
        self._patience = 10 + -(-30 * self._width // self._size)
        self._record = Record()
        #: Results of this generation: the point drawn, and how it came out.
        self._batch: list[tuple[Floats, Result]] = []
        self._restarts = 0
        self._best: Result | None = None
        self._idle = 0
        self._distribution: CMA | None = None

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The member nearest to a draw; O(decisions^2), at a generation's first O(decisions^3)."""
        distribution = self._ready()
        distribution.reseed_rng(int(rng.integers(2**32)))
        seen, count = self._record.seen, len(self.space.decisions)
        for _ in range(TRIES):
            with single_thread():
                point = distribution.ask()
            drawn = self.space.decode(point[:count])
            if not self.space.contains(drawn).ok:
                drawn = self.space.sample(rng)
            if point_key(drawn) not in seen:
                break
        taken = unseen_walk(self.space, drawn, seen, rng)
        if taken is not drawn:
            point[:count] = self.space.encode(taken)
        return Proposal(architecture=taken, note={"point": as_text(point)})

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(1), at the end of a generation O(decisions^3)."""
        learned = self._record.observe(event)
        if learned is None or learned.note is None:
            return
        text = learned.note["point"]
        assert isinstance(text, str)
        self._batch.append((from_text(text), learned.member.result))
        if len(self._batch) == self._size:
            self._end_generation()

    def _end_generation(self) -> None:
        order = best_first([result for _, result in self._batch])
        ranked = [(self._batch[place][0], float(rank)) for rank, place in enumerate(order)]
        leader = self._batch[order[0]][1]
        self._batch = []
        distribution = self._ready()
        with single_thread():
            distribution.tell(ranked)
        improved = self._best is None or better(leader, self._best)
        self._idle = 0 if improved else self._idle + 1
        if improved:
            self._best = leader
        if self._idle >= self._patience or distribution.should_stop():
            self._restarts += 1
            self._best, self._idle, self._distribution = None, 0, None

    def _ready(self) -> CMA:
        """The distribution; the first one lies in the middle, others where the count says."""
        if self._distribution is None:
            from cmaes import CMA  # noqa: PLC0415 only this optimizer needs it

            mean = np.full(self._width, 0.5)
            if self._restarts:
                mean = generator(0, self._restarts, "cma_es").random(self._width)
            self._distribution = CMA(
                mean=mean,
                sigma=self._settings.step,
                bounds=np.tile([0.0, 1.0], (self._width, 1)),
                population_size=self._size,
                seed=0,
            )
        return self._distribution
