"""The decision table: all decisions of a space with the rules by which codes become a member.

Compiled once per space. Drawing a member is one vectorised call to the generator and a loop over
steps; repairing codes uses the same steps, so what is drawn and what is repaired obey one rule:

* a decision whose guard fails is None;
* an active one without a code takes its default (or a draw, where numbers are given);
* a dependent one whose code is not allowed takes the nearest allowed value, the lower on a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Protocol

import numpy as np

from morphml.errors import SpaceError
from morphml.space.decisions import Code, Decision, Kind, Vector
from morphml.space.guards import ALWAYS, Codes, Guard, Is, active, reads

#: The codes of a dependent decision that earlier codes allow, ascending; never empty.
Allowed = Callable[[Codes], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One decision and its rules."""

    index: int
    decision: Decision
    guard: Guard = ALWAYS
    allowed: Allowed | None = None
    #: Decisions that `allowed` reads.
    allowed_reads: tuple[int, ...] = ()

    @property
    def indices(self) -> tuple[int, ...]:
        """The decisions that this step sets."""
        return (self.index,)

    @property
    def reads(self) -> frozenset[int]:
        """The decisions that must be known before."""
        return reads(self.guard) | frozenset(self.allowed_reads)

    def choices(self, codes: Codes) -> Sequence[int] | None:
        """The codes allowed here, given the earlier ones; None for reals."""
        if self.allowed is not None:
            return self.allowed(codes)
        if self.decision.kind is Kind.REAL:
            return None
        return range(int(self.decision.low), int(self.decision.high) + 1)

    def settle(self, codes: list[Code], draws: Sequence[float] | None) -> None:
        """Give this decision its code; ``draws`` are uniform numbers for codes that are missing."""
        index = self.index
        if self.guard is not ALWAYS and not active(self.guard, codes):
            codes[index] = None
            return
        code = codes[index]
        if code is None:
            code = self._fresh(codes, None if draws is None else draws[index])
        elif self.allowed is not None:
            allowed = self.allowed(codes)
            if code not in allowed:
                code = self._nearest(code, allowed)
        elif not self.decision.low <= code <= self.decision.high:
            code = min(max(code, self.decision.low), self.decision.high)
        codes[index] = code

    def settings(self, codes: Codes) -> Iterator[list[Code]]:
        """All codes with each value that this decision can have here.

        Raises:
            SpaceError: when it is real.
        """
        if not active(self.guard, codes):
            yield [*codes[: self.index], None, *codes[self.index + 1 :]]
            return
        choices = self.choices(codes)
        if choices is None:
            raise SpaceError("a real decision has no list of values", path=self.decision.path)
        for code in choices:
            yield [*codes[: self.index], code, *codes[self.index + 1 :]]

    def _fresh(self, codes: Codes, u: float | None) -> int | float:
        if self.allowed is None:
            return self.decision.default if u is None else self.decision.draw(u)
        allowed = self.allowed(codes)
        if u is not None:
            return allowed[int(u * len(allowed))]
        return self._nearest(self.decision.default, allowed)

    def _nearest(self, code: int | float, allowed: Sequence[int]) -> int:
        """The allowed code with the value nearest to that of ``code``, the lower one on a tie."""
        options = self.decision.options
        if self.decision.kind is Kind.ORDINAL and all(isinstance(o, int | float) for o in options):
            wanted = options[int(code)]
            return min(allowed, key=lambda c: (abs(options[c] - wanted), c))  # type: ignore[operator]  # numbers
        return min(allowed, key=lambda c: (abs(c - code), c))


class Group(Protocol):
    """Decisions that only make sense together, such as the edges of a free graph."""

    @property
    def indices(self) -> tuple[int, ...]:
        """The decisions that this step sets."""

    @property
    def guard(self) -> Guard:
        """When any of them is active."""

    @property
    def operations(self) -> tuple[int, ...]:
        """Those of its decisions that choose an operation."""

    @property
    def ops(self) -> int:
        """The number of operations that each of these chooses from."""

    @property
    def reads(self) -> frozenset[int]:
        """The decisions that must be known before."""

    def settle(self, codes: list[Code], draws: Sequence[float] | None) -> None:
        """Make this group's codes a valid graph; see `Single.settle`."""

    def moved(self, codes: Codes, rng: np.random.Generator) -> list[Code] | None:
        """All codes after one random valid change inside this group; None when there is none."""

    def moves(self, codes: Codes) -> Iterable[list[Code]]:
        """All codes after each single valid change inside this group."""

    def settings(self, codes: Codes) -> Iterable[list[Code]]:
        """All codes with each valid setting of this group."""

    def count(self, weight: int) -> int:
        """The number of its valid settings, where each operation counts ``weight`` ways in all."""


Step = Single | Group


class Table:
    """The decisions of one space and how they are settled."""

    __slots__ = ("_quick", "_ranges", "decisions", "owner", "steps")

    def __init__(self, decisions: Iterable[Decision], steps: Iterable[Step]) -> None:
        self.decisions = tuple(decisions)
        #: In an order in which each step reads only what earlier ones settle.
        self.steps = _sorted(tuple(steps))
        #: The step that settles a decision, by index.
        self.owner = {index: step for step in self.steps for index in step.indices}
        self._quick = tuple(_quick(step) for step in self.steps)
        self._ranges = [(d.low, d.high, d.kind is Kind.REAL) for d in self.decisions]

    def __len__(self) -> int:
        return len(self.decisions)

    def typed(self, codes: Sequence[Code]) -> Vector | None:
        """``codes`` as a vector, whole numbers of reals made floats; None when one is no code."""
        if len(codes) != len(self.decisions):
            return None
        made: list[Code] = []
        for code, (low, high, real) in zip(codes, self._ranges, strict=True):
            if code is None:
                made.append(None)
            elif type(code) is int or (real and type(code) is float):
                if not low <= code <= high:
                    return None
                made.append(float(code) if real else code)
            else:
                return None
        return tuple(made)

    def draw(self, rng: np.random.Generator) -> Vector:
        """A random member's vector; O(decisions)."""
        size = len(self.decisions)
        return self.settled([None] * size, rng.random(size).tolist())

    def settled(self, codes: Iterable[Code], draws: Sequence[float] | None = None) -> Vector:
        """The member's vector nearest to ``codes``: inactive ones None, others repaired.

        Args:
            codes: codes or None, aligned with `decisions`.
            draws: uniform numbers in [0, 1) for active decisions without a code, as many as
                decisions; None gives those their default.
        """
        made = list(codes)
        for index, gate, passes, low, high, default, step in self._quick:
            if step is not None:
                step.settle(made, draws)
            elif gate is not None and made[gate] not in passes:
                made[index] = None
            else:
                code = made[index]
                if code is None:
                    span = high - low + 1
                    made[index] = default if draws is None else low + int(draws[index] * span)
                elif code < low or code > high:
                    made[index] = min(max(code, low), high)
        return tuple(made)


#: (index, index of the gate, its codes, lowest, highest, default, None), or the step as it is.
_Quick = tuple[int, int | None, frozenset[int], int, int, int, Step | None]


def _quick(step: Step) -> _Quick:
    """The frequent kind of step, laid out flat: whole codes, at most one term to be active."""
    if isinstance(step, Single) and step.allowed is None:
        decision = step.decision
        terms = step.guard[0] if len(step.guard) == 1 else ()
        gated = len(step.guard) == 1 and len(terms) == 1 and isinstance(terms[0], Is)
        if decision.kind is not Kind.REAL and not decision.log and (gated or () in step.guard):
            gate, passes = None, frozenset[int]()
            if gated and isinstance(terms[0], Is):
                gate, passes = terms[0].index, terms[0].codes
            low, high = int(decision.low), int(decision.high)
            return step.index, gate, passes, low, high, int(decision.default), None
    return 0, None, frozenset(), 0, 0, 0, step


def _sorted(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps in an order in which each reads only what is settled before; stable.

    Raises:
        SpaceError: when tied decisions depend on each other in a circle.
    """
    owner = {index: number for number, step in enumerate(steps) for index in step.indices}
    waits = [{owner[index] for index in step.reads} - {number} for number, step in enumerate(steps)]
    followers: list[list[int]] = [[] for _ in steps]
    for number, before in enumerate(waits):
        for other in before:
            followers[other].append(number)
    missing = [len(before) for before in waits]
    ready = [number for number, count in enumerate(missing) if count == 0]
    heapify(ready)
    order: list[int] = []
    while ready:
        number = heappop(ready)
        order.append(number)
        for follower in followers[number]:
            missing[follower] -= 1
            if missing[follower] == 0:
                heappush(ready, follower)
    if len(order) < len(steps):
        stuck = sorted(set(range(len(steps))) - set(order))[:5]
        raise SpaceError(
            f"decisions depend on each other in a circle (steps {stuck}); give one of the places "
            "that a name ties a name of its own"
        )
    return tuple(steps[number] for number in order)
