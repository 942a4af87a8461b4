"""A search led by a model: what it has seen, when the model is fitted, and where it looks next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import Event
from morphml.optimizers.pareto import best_first
from morphml.optimizers.population import Member
from morphml.optimizers.record import Record
from morphml.optimizers.surrogate.acquisition import ACQUISITIONS
from morphml.optimizers.surrogate.candidates import candidates
from morphml.optimizers.surrogate.points import Encoder, Floats, Points
from morphml.optimizers.surrogate.regression import Fitted, Known, Regression
from morphml.optimizers.surrogate.targets import even_weights, targets
from morphml.optimizers.unseen import unseen_draw
from morphml.space import SearchSpace

#: Every result fits the model anew up to so many results; later only each tenth.
_EAGER = 40
_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideSettings:
    """How the model is used."""

    #: Random draws to begin with, >= 2.
    starts: int
    #: Key of ``ACQUISITIONS``.
    acquisition: str
    #: Results that the model sees at most, >= 10: the better half of them are the best so far, the
    #: others the youngest.
    window: int


class Guide:
    """Learns from results and proposes the most promising of many candidates.

    The model's parameters are fitted to the results of certain moments of the log alone, whoever
    asks and however often, so that a restart finds the same ones.

    Args:
        space: what is searched.
        encoding: of its members.
        regression: the kind of model.
        settings: how it is used.
    """

    def __init__(
        self, space: SearchSpace, encoding: str, regression: Regression, settings: GuideSettings
    ) -> None:
        self._space = space
        self._encoder = Encoder(space, encoding)
        self._regression = regression
        self._settings = settings
        self._acquire = ACQUISITIONS[settings.acquisition]
        self._record = Record()
        #: Results in the order in which they came; each point once.
        self._members: list[Member] = []
        self._known: set[tuple[object, ...]] = set()
        self._points: list[Points] = []
        #: The model, and how many results it was fitted to.
        self._fitted: tuple[int, Fitted] | None = None

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions)."""
        learned = self._record.observe(event)
        if learned is None or learned.member.architecture.vector in self._known:
            return
        self._known.add(learned.member.architecture.vector)
        self._members.append(learned.member)

    def propose(self, rng: np.random.Generator) -> Proposal:
        """The best candidate by the model; a random draw to begin with."""
        seen, count = self._record.seen, len(self._members)
        starting = self._record.asked < self._settings.starts
        if starting or count < min(self._settings.starts, 4):
            return Proposal(architecture=unseen_draw(self._space, seen, rng))
        used = self._window(count)
        results = [self._members[row].result for row in used]
        best = [self._members[used[place]] for place in best_first(results)]
        offered = candidates(self._space, best, seen, rng)
        if not offered:
            return Proposal(architecture=unseen_draw(self._space, seen, rng))
        known = Known(
            points=self._rows(used),
            targets=targets(results, self._weights(len(results[0].values), rng)),
            pending=self._encoder(a.architecture for a in self._record.pending.values()),
        )
        means, deviations = self._model(count).predict(known, self._encoder(a for a, _ in offered))
        scores = self._acquire(means, deviations, float(known.targets.min()), rng)
        chosen, parents = offered[int(np.argmax(np.round(scores, 9)))]
        return Proposal(architecture=chosen, parents=parents)

    def _weights(self, objectives: int, rng: np.random.Generator) -> Floats:
        """Of several objectives each ask weighs them anew (ParEGO)."""
        if objectives == 1:
            return even_weights(1)
        return rng.dirichlet(np.ones(objectives))

    def _model(self, count: int) -> Fitted:
        moment = count if count <= _EAGER else count - count % _EVERY
        if self._fitted is None or self._fitted[0] != moment:
            used = self._window(moment)
            results = [self._members[row].result for row in used]
            wanted = targets(results, even_weights(len(results[0].values)))
            self._fitted = moment, self._regression.fit(self._rows(used), wanted)
        return self._fitted[1]

    def _window(self, count: int) -> list[int]:
        """Rows of the first ``count`` results that the model sees, in the log's order."""
        size = self._settings.window
        if count <= size:
            return list(range(count))
        results = [member.result for member in self._members[:count]]
        youngest = range(count - size // 2, count)
        chosen = set(youngest)
        for row in best_first(results):
            if len(chosen) == size:
                break
            chosen.add(row)
        return sorted(chosen)

    def _rows(self, used: Sequence[int]) -> Points:
        """Encoded results; each is encoded once."""
        done = sum(len(block) for block in self._points)
        if done < len(self._members):
            self._points.append(self._encoder(m.architecture for m in self._members[done:]))
        if len(self._points) > 1:
            first, *others = self._points
            for block in others:
                first = first.joined(block)
            self._points = [first]
        return self._points[0].take(used)
