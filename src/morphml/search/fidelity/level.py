"""What an optimizer sees of a search in which trials get different numbers of epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from morphml.optimizers import (
    JSON,
    Answered,
    Asked,
    Cancelled,
    Optimizer,
    Paused,
    Promoted,
    Proposal,
    Rejected,
    Reported,
    Told,
)
from morphml.optimizers.events import Event
from morphml.space import SearchSpace

#: Trials that must have come to a level before results are compared there; more where there are
#: more decisions, as in BOHB.
LEAST = 10


class OneLevel:
    """Any optimizer, which learns every trial's result at one level: equal epochs for all.

    The level is the highest rung that enough trials have reached: ten, or three more than there are
    decisions (Falkner et al., 2018, BOHB, section 3.2). When it rises, a fresh optimizer learns the
    whole log again, with the results at the new level. A trial that ended below the level ranks
    worst; one that waits or runs below it is pending.

    Args:
        make: a fresh optimizer that knows nothing yet.
        rungs: epochs at which trials are compared, rising; the last is a full trial.
    """

    def __init__(self, make: Callable[[], Optimizer], rungs: Sequence[int]) -> None:
        self._make = make
        self._inner = make()
        self._rungs = tuple(rungs)
        self.name = self._inner.name
        self.version = self._inner.version
        self._enough = max(LEAST, len(self.space.decisions) + 3)
        #: Everything observed, for when the level rises.
        self._log: list[Event] = []
        #: How many trials have reached each rung, and the highest one that each trial has reached.
        self._reached = [0] * len(self._rungs)
        self._highest: dict[int, int] = {}
        self._level = 0
        #: What the inner optimizer was told: values and violation by number.
        self._told: dict[int, tuple[tuple[float, ...] | None, float]] = {}

    @property
    def space(self) -> SearchSpace:
        """What it searches."""
        return self._inner.space

    @property
    def settings(self) -> Mapping[str, JSON]:
        """Those of the optimizer."""
        return self._inner.settings

    @property
    def level(self) -> int:
        """Epochs at which results are compared now."""
        return self._rungs[self._level]

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """What the optimizer proposes."""
        return self._inner.ask(number, rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; when the level rises, all of them anew: at most once a rung."""
        self._log.append(event)
        step = _step_of(event, self._rungs[-1])
        if step is not None and self._rises(event.number, step):  # type: ignore[union-attr]  # steps belong to trials
            self._begin_anew()
        else:
            self._pass_on(event)

    def _rises(self, number: int, step: int) -> bool:
        """Count what a trial has reached; whether the level rises by it."""
        first = self._highest.get(number, 0)
        position = first
        while position < len(self._rungs) and self._rungs[position] <= step:
            self._reached[position] += 1
            position += 1
        self._highest[number] = position
        full = [p for p, reached in enumerate(self._reached) if reached >= self._enough]
        level = max(full, default=0)
        if level <= self._level:
            return False
        self._level = level
        return True

    def _begin_anew(self) -> None:
        self._inner = self._make()
        self._told.clear()
        for event in self._log:
            self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        match event:
            case Reported():
                if event.step >= self.level and event.number not in self._told:
                    self._tell(event.number, event.values, event.violation)
            case Told():
                if event.number not in self._told:
                    counts = (event.step or self._rungs[-1]) >= self.level
                    values = event.values if counts else None
                    self._tell(event.number, values, event.violation, event.duration)
            case Cancelled():
                if event.number not in self._told:
                    self._told[event.number] = (None, 0.0)
                    self._inner.observe(event)
            case Answered():
                self._inner.observe(self._answer(event))
            case Paused() | Promoted():
                if event.number not in self._told:
                    self._inner.observe(event)
            case Asked() | Rejected():
                self._inner.observe(event)

    def _tell(
        self,
        number: int,
        values: tuple[float, ...] | None,
        violation: float,
        duration: float = 0.0,
    ) -> None:
        self._told[number] = (values, violation)
        told = Told(number=number, values=values, violation=violation, duration=duration)
        self._inner.observe(told)

    def _answer(self, event: Answered) -> Answered:
        """A duplicate's answer at this level; results of other experiments are full trials."""
        if event.source is None:
            full = self._level == len(self._rungs) - 1
            values, violation = (event.values, event.violation) if full else (None, 0.0)
        else:
            values, violation = self._told.get(event.source, (None, 0.0))
        return Answered(
            architecture=event.architecture,
            source=event.source,
            values=values,
            violation=violation,
        )


def _step_of(event: Event, full: int) -> int | None:
    """How many epochs' result an event brings; None where it brings none."""
    if isinstance(event, Reported):
        return event.step
    if isinstance(event, Told) and event.values is not None:
        return event.step or full
    return None
