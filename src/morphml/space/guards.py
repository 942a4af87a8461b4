"""When a decision is active: alternatives of conditions that must hold together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from morphml.space.decisions import Code

Codes: TypeAlias = Sequence[Code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Is:
    """A decision is active and has one of these codes."""

    index: int
    codes: frozenset[int]
    #: How a person reads it, such as ``body/times > 2``.
    text: str

    @property
    def reads(self) -> tuple[int, ...]:
        """Indices of the decisions read."""
        return (self.index,)

    def holds(self, codes: Codes) -> bool:
        """True when it holds for these codes."""
        return codes[self.index] in self.codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """A condition over several decisions holds."""

    reads: tuple[int, ...]
    test: Callable[[Codes], bool]
    text: str

    def holds(self, codes: Codes) -> bool:
        """True when it holds for these codes."""
        return self.test(codes)


Term: TypeAlias = Is | Holds
#: Terms that must hold together; the empty one always holds.
Conjunction: TypeAlias = tuple[Term, ...]
#: At least one of these must hold.
Guard: TypeAlias = tuple[Conjunction, ...]

#: The guard of what is always active.
ALWAYS: Guard = ((),)


def widened(guard: Guard, more: Conjunction) -> Guard:
    """``guard`` or ``more``, without alternatives that another one covers; O(len(guard))."""
    if any(_covers(known, more) for known in guard):
        return guard
    return (*(known for known in guard if not _covers(more, known)), more)


def active(guard: Guard, codes: Codes) -> bool:
    """True when one of the alternatives holds."""
    return any(all(term.holds(codes) for term in terms) for terms in guard)


def reads(guard: Guard) -> frozenset[int]:
    """Indices of all decisions that the guard reads."""
    return frozenset(index for terms in guard for term in terms for index in term.reads)


def text(guard: Guard) -> str:
    """The guard as a person reads it; empty when it always holds."""
    alternatives = [" and ".join(term.text for term in terms) for terms in guard]
    if "" in alternatives:
        return ""
    if len(alternatives) == 1:
        return alternatives[0]
    return " or ".join(f"({alternative})" for alternative in alternatives)


def implied(term: Term, terms: Conjunction, guards: Sequence[Guard]) -> bool:
    """True when another of ``terms`` reads a decision that is only active where ``term`` holds.

    Args:
        term: one of ``terms``.
        terms: what must hold together.
        guards: the guard of every decision, by index.
    """
    for other in terms:
        if other is not term and isinstance(other, Is):
            alternatives = guards[other.index]
            if len(alternatives) == 1 and term in alternatives[0]:
                return True
    return False


def _covers(wide: Conjunction, narrow: Conjunction) -> bool:
    """True when ``wide`` holds wherever ``narrow`` does, as far as their form shows."""
    return all(any(_implies(given, term) for given in narrow) for term in wide)


def _implies(given: Term, term: Term) -> bool:
    if isinstance(given, Is) and isinstance(term, Is):
        return given.index == term.index and given.codes <= term.codes
    return given.text == term.text and given.reads == term.reads
