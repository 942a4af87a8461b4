"""Where a search stands: counts, best trial, Pareto front, and whether it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from morphml.search.experiment import Budget, TrialState
from morphml.search.objectives import Objective, dominates

#: Reasons that end the asking, but not the trials that are on their way.
EXHAUSTED, TRIALS_SPENT = "space exhausted", "budget of trials spent"


class Standing:
    """Counts and best results, updated by the machine; everything here follows from the log.

    Args:
        objectives: what is optimised.
        budget: when the search ends.
        full: level of a full trial; 0 where there is no other.
    """

    def __init__(self, objectives: Sequence[Objective], budget: Budget, full: int = 0) -> None:
        self._objectives = tuple(objectives)
        #: Level of a full trial.
        self.full = full
        #: When the search ends; ``extend`` replaces it.
        self.budget = budget
        #: Trials by state; ``pending`` are those that have not ended.
        self.counts: Counter[TrialState] = Counter()
        #: Duplicate proposals answered without a number.
        self.duplicates = 0
        #: Proposals answered with results of other experiments, without a number.
        self.reused = 0
        #: Proposals that broke a cheap constraint.
        self.rejections = 0
        #: Epochs of all ended trials.
        self.epochs = 0
        #: Number and minimised values of the best feasible trial by the first objective, of equals
        #: one that no other dominates, the first (see ``precedence``); or None. Results of other
        #: experiments count: they stand here as -1, -2, ... in the order in which they were met.
        self.best: tuple[int, tuple[float, ...]] | None = None
        #: Feasible trials that none other dominates, one of each equal values: number to values.
        self.front: dict[int, tuple[float, ...]] = {}
        #: Epochs of the trials that ``best`` and ``front`` compare: results of more epochs push
        #: those of fewer out. Stays 0 where all trials are full ones.
        self.level = 0
        #: Whether no unseen member was found.
        self.exhausted = False

    def over(self, next_number: int) -> str | None:
        """Why nothing more is asked, or None."""
        if self.exhausted:
            return EXHAUSTED
        if next_number >= self.budget.trials:
            return TRIALS_SPENT
        return self.enough()

    def enough(self) -> str | None:
        """Why paused trials do not go on either, or None."""
        if self.budget.epochs is not None and self.epochs >= self.budget.epochs:
            return "budget of epochs spent"
        if self._target_reached():
            return "target reached"
        return None

    def asked(self) -> None:
        """Count a trial that took a number."""
        self.counts[TrialState.PENDING] += 1

    def moved(self, state: TrialState, to: TrialState) -> None:
        """Count a trial that was taken back, paused or promoted."""
        self.counts[state] -= 1
        self.counts[to] += 1

    def told(
        self,
        number: int,
        state: TrialState,
        values: tuple[float, ...] | None,
        body: Mapping[str, Any],
        level: int = 0,
    ) -> None:
        """Count a pending trial that ended and place it among the best of its level."""
        self.counts[TrialState.PENDING] -= 1
        self.counts[state] += 1
        self.epochs += body.get("spent", body["epochs"])
        if values is not None and body["violation"] == 0:
            self.place(number, values, level)

    def learn_reused(self, place: int, values: tuple[float, ...], violation: float) -> None:
        """Count a result of another experiment and place it among the best."""
        self.reused += 1
        if violation == 0:
            self.place(place, values, self.full)

    def place(self, number: int, values: tuple[float, ...], level: int) -> None:
        """Place a feasible result of ``level`` epochs (0 where all are equal) among the best."""
        if level != self.level:
            if level < self.level:
                return
            self.level, self.best, self.front = level, None, {}
        self._place(number, values)

    def _place(self, number: int, values: tuple[float, ...]) -> None:
        if len(values) == 1:
            placed = (number, values)
            if self.best is None or _order(placed) < _order(self.best):
                self.front, self.best = {number: values}, placed
            return
        self._place_on_front(number, values)
        # Whatever dominates a trial of the best first objective has that objective as well.
        self.best = min(self.front.items(), key=_order)

    def _place_on_front(self, number: int, values: tuple[float, ...]) -> None:
        for other, held in self.front.items():
            if dominates(held, values) or (
                held == values and precedence(other) < precedence(number)
            ):
                return
        kept = {n: v for n, v in self.front.items() if not (dominates(values, v) or v == values)}
        self.front = {**kept, number: values}

    def _target_reached(self) -> bool:
        if self.budget.target is None or self.best is None:
            return False
        return self.best[1][0] <= self._objectives[0].minimised(self.budget.target)


def precedence(number: int) -> tuple[bool, int]:
    """Sorts equal results: own trials by number, then those of other experiments as met."""
    return number < 0, abs(number)


def _order(entry: tuple[int, tuple[float, ...]]) -> tuple[float, tuple[bool, int]]:
    """Of equals the one asked first, in whatever order they end."""
    number, values = entry
    return values[0], precedence(number)
