"""Counting the members of a decision table exactly, without listing them.

Decisions are taken in settling order. What is kept of the past is only what a later rule reads, so
the work grows with how many decisions depend on each other, not with the number of members.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from morphml.space.decisions import Code, Decision, Kind
from morphml.space.guards import Is, active
from morphml.space.table import Group, Single, Step, Table

#: More different pasts than this at one time are too many to follow.
PASTS = 50_000

#: What is kept of a decision: its code, a set of codes that are alike so far, or nothing.
Held = Code | frozenset[int]
#: What is kept of the decisions that later steps read -> number of ways to get there.
Ways = dict[tuple[Held, ...], int | float]


def count(table: Table) -> int | float | None:
    """The number of distinct vectors; infinite with a real decision that can be active.

    None when too many decisions depend on each other.
    """
    weights: dict[int, int] = {}
    taken: set[int] = set()
    for step in table.steps:
        if isinstance(step, Single):
            continue
        inner = _inside(step, table.steps)
        weight = None if inner is None else _ways(inner, len(table), {})
        if inner is None or weight is None or weight == math.inf:
            return math.inf if weight == math.inf else None
        weights[step.indices[0]] = int(weight)
        taken.update(_readers(step, table.steps))
    left = [s for s in table.steps if not (isinstance(s, Single) and s.index in taken)]
    return _ways(left, len(table), weights)


def _ways(steps: Sequence[Step], length: int, weights: Mapping[int, int]) -> int | float | None:
    """Ways through all steps; groups count ``weights`` ways for each operation."""
    readers = Readers(steps)
    codes: list[Code] = [None] * length
    live: tuple[int, ...] = ()
    ways: Ways = {(): 1}
    for number, step in enumerate(steps):
        kept = tuple(i for i in (*live, *step.indices) if readers.last.get(i, -1) > number)
        following: Ways = defaultdict(int)
        for past, many in readers.told_apart(ways, live, step):
            known = dict(zip(live, past, strict=True))
            for index, held in known.items():
                codes[index] = next(iter(held)) if isinstance(held, frozenset) else held
            for held, factor in _choices(step, codes, step.indices[0] in kept, weights, readers):
                if factor == math.inf:
                    return math.inf
                known[step.indices[0]] = held
                key = tuple([readers.merged(i, known[i], number) for i in kept])
                following[key] += many * factor
        for index in live:
            codes[index] = None
        if len(following) > PASTS:
            return None
        ways, live = dict(following), kept
    return sum(ways.values())


def _choices(
    step: Step, codes: list[Code], is_read: bool, weights: Mapping[int, int], readers: Readers
) -> Iterable[tuple[Held, int | float]]:
    """What a step can decide, as far as later rules tell it apart, each with its number of ways."""
    if not active(step.guard, codes):
        return [(None, 1)]
    if not isinstance(step, Single):
        return [(None, step.count(weights[step.indices[0]]))]
    choices = step.choices(codes)
    if choices is None:
        return [(None, math.inf)]
    if not is_read:
        return [(None, len(choices))]
    if step.index in readers.asked:
        return [(frozenset(choices), len(choices))]
    return [(code, 1) for code in choices]


class Readers:
    """Who reads which decision, and what is asked of it.

    A decision of which later rules only ask whether its code is in this or that set is kept as a
    set of codes, all alike so far, and is split when it is asked: a repeat's count is one class of
    "more than k" at copy k, whatever its highest value.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        """Read the rules of all steps; O(rules x codes)."""
        #: The last step that reads a decision.
        self.last = {index: number for number, step in enumerate(steps) for index in step.reads}
        #: Decisions that are only asked for sets of codes.
        self.asked = set(self.last)
        for step in steps:
            self.asked -= {index for index in step.reads if _tests(step, index) is None}
        self._later: dict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
        for number in range(len(steps) - 1, -1, -1):
            for index in steps[number].reads & self.asked:
                asked = frozenset[int]().union(*(_tests(steps[number], index) or ()))
                before = self._later[index][-1][1] if self._later[index] else frozenset[int]()
                self._later[index].append((number, asked | before))

    def told_apart(
        self, ways: Ways, live: tuple[int, ...], step: Step
    ) -> Iterator[tuple[tuple[Held, ...], int | float]]:
        """The pasts, those split that the step tells apart, each with its number of ways."""
        asked = [
            (place, _tests(step, index) or [])
            for place, index in enumerate(live)
            if index in step.reads and index in self.asked
        ]
        for past, many in ways.items():
            yield from _split(past, many, asked)

    def merged(self, index: int, held: Held, number: int) -> Held:
        """What is kept of a decision after a step: nothing, once all later answers are no."""
        if not isinstance(held, frozenset):
            return held
        later = self._later[index]
        while later and later[-1][0] <= number:
            later.pop()
        return held if later and held & later[-1][1] else None


def _tests(step: Step, index: int) -> list[frozenset[int]] | None:
    """The sets of codes that a step asks a decision for; None where it may ask anything."""
    if isinstance(step, Single) and index in step.allowed_reads:
        return None
    terms = [term for terms in step.guard for term in terms if index in term.reads]
    tests = [term.codes for term in terms if isinstance(term, Is)]
    return tests if len(tests) == len(terms) else None


def _split(
    past: tuple[Held, ...], many: int | float, asked: list[tuple[int, list[frozenset[int]]]]
) -> Iterator[tuple[tuple[Held, ...], int | float]]:
    """A past with its sets of codes split by the answers to what is asked of them."""
    if not asked:
        yield past, many
        return
    (place, tests), *rest = asked
    held = past[place]
    if not isinstance(held, frozenset):
        yield from _split(past, many, rest)
        return
    parts: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for code in held:
        parts[tuple([code in test for test in tests])].append(code)
    for part in parts.values():
        share = many * len(part) // len(held)
        yield from _split((*past[:place], frozenset(part), *past[place + 1 :]), share, rest)


def _readers(group: Group, steps: Sequence[Step]) -> list[int]:
    """The decisions inside the operations of a graph, such as the filters of a node's layer."""
    mine = set(group.indices)
    return [s.index for s in steps if isinstance(s, Single) and s.reads & mine]


def _inside(group: Group, steps: Sequence[Step]) -> list[Step] | None:
    """One operation of a graph, and what is decided inside it, freed from the graph's own guard.

    All operations of a graph offer the same, so one stands for all. None when what is inside also
    depends on something else, or is tied between operations: then graphs cannot be counted so.
    """
    first = group.operations[0]
    others = set(group.indices) - {first}
    around = [term for terms in group.guard for term in terms]
    known = {first}
    made: list[Step] = []
    for step in steps:
        if isinstance(step, Single) and step.index == first:
            continue
        if not isinstance(step, Single) or not step.reads & {first, *others}:
            continue
        if step.reads & others:
            if first in step.reads:
                return None
            continue
        guard = tuple(tuple(t for t in terms if t not in around) for terms in step.guard)
        freed = replace(step, guard=guard)
        if not freed.reads <= known:
            return None
        known.add(step.index)
        made.append(freed)
    decision = Decision(path="", kind=Kind.CATEGORICAL, high=group.ops - 1)
    return [Single(index=first, decision=decision), *made]
