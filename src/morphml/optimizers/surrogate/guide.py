"""A search led by a model: what it has seen, when the model is fitted, and where it looks next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphml.optimizers.best_and_youngest import BestAndYoungest
from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import Event
from morphml.optimizers.pareto import best_first
from morphml.optimizers.population import Member
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import SeenPoints
from morphml.optimizers.surrogate.acquisition import ACQUISITIONS
from morphml.optimizers.surrogate.candidates import Candidates
from morphml.optimizers.surrogate.points import Encoder, Floats, Points
from morphml.optimizers.surrogate.regression import Fitted, Known, Regression
from morphml.optimizers.surrogate.targets import even_weights, targets
from morphml.optimizers.unseen import unseen_draw
from morphml.space import SearchSpace

#: Every result is a moment at which the model is fitted anew, up to so many; later each tenth.
_EAGER = 40
_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideSettings:
    """How the model is used."""

    #: Random draws to begin with, >= 2.
    starts: int
    #: Key of ``ACQUISITIONS``.
    acquisition: str
    #: Results at most that the model is fitted to, >= 10: half of them the youngest, the others
    #: the best so far; those that came since are known to it as well.
    window: int
    #: Share of proposals that are random draws, 0 to 1.
    random_share: float = 0.0


class Guide:
    """Learns from results and proposes the most promising of many candidates.

    What the model is fitted to, and what it knows, are those results that certain moments of the
    log left in the window and what came since, whoever asks and however often, so that a restart
    finds the same ones.

    Args:
        space: what is searched.
        encoding: of its members.
        regression: the kind of model.
        settings: how it is used.
        seen: what was tried before, also by others; kept, and added to.
    """

    def __init__(
        self,
        space: SearchSpace,
        encoding: str,
        regression: Regression,
        settings: GuideSettings,
        seen: SeenPoints | None = None,
    ) -> None:
        self._space = space
        self._encoder = Encoder(space, encoding)
        self._candidates = Candidates(space)
        self._regression = regression
        self._settings = settings
        self._acquire = ACQUISITIONS[settings.acquisition]
        self._record = Record(seen)
        self._window = BestAndYoungest(settings.window)
        #: Points that have a result; each is learned once.
        self._known: set[tuple[object, ...]] = set()
        #: Results of the window at the last moment, and how many of what follows came since.
        self._members: list[Member] = []
        self._since = 0
        #: Encoded members; behind them where results came since the last ask.
        self._points: Points | None = None
        #: The model of the last moment, once somebody asked.
        self._fitted: Fitted | None = None

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions), at a moment O(window log window).

        With several objectives a moment is O(window^2 x objectives).
        """
        learned = self._record.observe(event)
        if learned is None or learned.member.architecture.vector in self._known:
            return
        self._known.add(learned.member.architecture.vector)
        self._window.add(learned.member)
        self._members.append(learned.member)
        self._since += 1
        count = len(self._known)
        if count <= _EAGER or count % _EVERY == 0:
            self._turn(count)

    def propose(self, rng: np.random.Generator) -> Proposal:
        """The best candidate by the model; a random draw to begin with."""
        seen, members = self._record.seen, self._members
        starting = self._record.asked < self._settings.starts
        if starting or len(members) < min(self._settings.starts, 4) or self._drawn(rng):
            return Proposal(architecture=unseen_draw(self._space, seen, rng))
        results = [member.result for member in members]
        best = [members[place] for place in best_first(results)]
        offered = self._candidates(best, seen, rng)
        if not offered:
            return Proposal(architecture=unseen_draw(self._space, seen, rng))
        known = Known(
            points=self._encoded(),
            targets=targets(results, self._weights(len(results[0].values), rng)),
            pending=self._encoder(a.architecture for a in self._record.pending.values()),
        )
        means, deviations = self._model(known.points).predict(
            known, self._encoder(a for a, _ in offered)
        )
        scores = self._acquire(means, deviations, float(known.targets.min()), rng)
        chosen, parents = offered[int(np.argmax(np.round(scores, 9)))]
        return Proposal(architecture=chosen, parents=parents)

    def _drawn(self, rng: np.random.Generator) -> bool:
        share = self._settings.random_share
        return share > 0 and rng.random() < share

    def _turn(self, count: int) -> None:
        """A moment of the log: keep in view what the window leaves, and forget the model."""
        if count > self._settings.window:
            encoded = 0 if self._points is None else len(self._points)
            before = self._members[:encoded]
            rows = {member.architecture.vector: row for row, member in enumerate(before)}
            self._members = self._window.take()
            vectors = [member.architecture.vector for member in self._members]
            if self._points is not None:
                # What is encoded came first, and stands first among what is left.
                self._points = self._points.take([rows[v] for v in vectors if v in rows])
        self._since = 0
        self._fitted = None

    def _weights(self, objectives: int, rng: np.random.Generator) -> Floats:
        """Of several objectives each ask weighs them anew (ParEGO)."""
        if objectives == 1:
            return even_weights(1)
        return rng.dirichlet(np.ones(objectives))

    def _model(self, points: Points) -> Fitted:
        if self._fitted is None:
            until = len(self._members) - self._since
            results = [member.result for member in self._members[:until]]
            wanted = targets(results, even_weights(len(results[0].values)))
            self._fitted = self._regression.fit(points.take(slice(until)), wanted)
        return self._fitted

    def _encoded(self) -> Points:
        """One row for each member; each is encoded once."""
        done = 0 if self._points is None else len(self._points)
        if done < len(self._members):
            fresh = self._encoder(member.architecture for member in self._members[done:])
            self._points = fresh if self._points is None else self._points.joined(fresh)
        assert self._points is not None
        return self._points
