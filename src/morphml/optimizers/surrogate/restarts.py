"""A search led by a model that begins anew where it is stuck, and takes turns with what began.

A model that has seen a hundred members of one region predicts little good elsewhere, however wrong
it is there. A search that knows only its own results has no such prejudice: this is how trust
regions restart (Eriksson et al., 2019, TuRBO) and how local search does. The search that knows all
is not given up, since it may still improve: it gets as many turns as those that began anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import Asked, Cancelled, Event, Told
from morphml.optimizers.front import Front
from morphml.optimizers.pareto import Result
from morphml.optimizers.seen_points import SeenPoints
from morphml.optimizers.surrogate.guide import Guide, GuideSettings
from morphml.optimizers.surrogate.regression import Regression
from morphml.space import SearchSpace

#: What stands in the note of a proposal by a search begun anew: which of them it was, from 1 on.
RESTART = "restart"


class Staleness:
    """How many results in a row brought no new best.

    Results that were asked for before the last new best came do not count: with many slots they
    are what is left of a search that did not know it.
    """

    def __init__(self) -> None:
        #: Below 0 while more results are granted.
        self.count = 0
        self._front = Front()
        self._since = 0

    def add(self, event: Told, asked: int) -> None:
        """Take a result in.

        Args:
            event: of the trial; a failure is no new best.
            asked: the number that the next trial will have.
        """
        if event.values is not None and self._front.add(Result(event.violation, event.values)):
            self.count = min(self.count, 0)
            self._since = asked
        elif event.number >= self._since:
            self.count += 1


@dataclass(slots=True)
class Anew:
    """A search that began anew."""

    guide: Guide
    stale: Staleness
    #: Its trials under way.
    running: set[int]
    #: How many of its trials ended.
    ended: int = 0


class Restarts:
    """A guide that knows all results, and one after the other some that know only their own.

    The first is in charge until ``patience`` results in a row brought no new best; then one that
    begins anew with half as many draws, until as many of its own brought it nothing better; then
    the first again, for at least as many results as the other one had.

    Args:
        space: what is searched.
        encoding: of its members.
        regression: the kind of model.
        settings: how it is used.
        patience: >= 1.
    """

    def __init__(
        self,
        space: SearchSpace,
        encoding: str,
        regression: Regression,
        settings: GuideSettings,
        patience: int,
    ) -> None:
        self._seen = SeenPoints()
        self._patience = patience
        self._all = Guide(space, encoding, regression, settings, self._seen)
        self._stale = Staleness()
        fewer = replace(settings, starts=max(2, settings.starts // 2))
        self._begin = partial(Guide, space, encoding, regression, fewer, self._seen)
        #: The search begun anew that is in charge, if one is.
        self._anew: Anew | None = None
        #: Searches begun anew so far, and the number that the next trial will have.
        self._begun = 0
        self._asked = 0

    @property
    def anew(self) -> bool:
        """Whether a search that knows only its own results is in charge."""
        return self._anew is not None

    def propose(self, rng: np.random.Generator) -> Proposal:
        """What the one in charge proposes."""
        if self._anew is None:
            return self._all.propose(rng)
        made = self._anew.guide.propose(rng)
        note = {RESTART: self._begun}
        return Proposal(architecture=made.architecture, parents=made.parents, note=note)

    def observe(self, event: Event) -> None:
        """Learn one log entry; costs what it costs a guide, or two."""
        self._all.observe(event)
        if isinstance(event, Asked):
            self._asked = event.number + 1
        anew = self._anew
        own = anew is not None and self._belongs(event, anew)
        if anew is not None and own:
            anew.guide.observe(event)
        if isinstance(event, Told):
            self._stale.add(event, self._asked)
            if anew is None:
                self._perhaps_begin()
            elif own:
                self._perhaps_return(event, anew)

    def _belongs(self, event: Event, anew: Anew) -> bool:
        """Whether the entry is about a trial of the search begun anew."""
        if isinstance(event, Asked):
            own = event.note is not None and event.note.get(RESTART) == self._begun
            if own:
                anew.running.add(event.number)
            return own
        if isinstance(event, Told | Cancelled) and event.number in anew.running:
            anew.running.remove(event.number)
            return True
        return False

    def _perhaps_begin(self) -> None:
        if self._stale.count >= self._patience:
            self._begun += 1
            self._anew = Anew(guide=self._begin(), stale=Staleness(), running=set())

    def _perhaps_return(self, event: Told, anew: Anew) -> None:
        anew.stale.add(event, self._asked)
        anew.ended += 1
        if anew.stale.count >= self._patience:
            self._anew = None
            self._stale.count = self._patience - anew.ended
