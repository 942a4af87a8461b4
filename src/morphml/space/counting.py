"""Counting the members of a decision table exactly, without listing them.

Decisions are taken in settling order. What is kept of the past is only what a later rule reads, so
the work grows with how many decisions depend on each other, not with the number of members.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from morphml.space.decisions import Code, Decision, Kind
from morphml.space.guards import active
from morphml.space.table import Group, Single, Step, Table

#: More different pasts than this at one time are too many to follow.
PASTS = 50_000

#: Codes that later steps read -> number of ways to get there.
Ways = dict[tuple[Code, ...], int | float]


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
        if inner is None or weight is None or math.isinf(weight):
            return math.inf if weight == math.inf else None
        weights[step.indices[0]] = int(weight)
        taken.update(_readers(step, table.steps))
    left = [s for s in table.steps if not (isinstance(s, Single) and s.index in taken)]
    return _ways(left, len(table), weights)


def _ways(steps: Sequence[Step], length: int, weights: Mapping[int, int]) -> int | float | None:
    """Ways through all steps; groups count ``weights`` ways for each operation."""
    live: tuple[int, ...] = ()
    ways: Ways = {(): 1}
    for number, step in enumerate(steps):
        later = {index for following in steps[number + 1 :] for index in following.reads}
        kept = tuple(sorted({*live, *step.indices} & later))
        following: Ways = defaultdict(int)
        for past, many in ways.items():
            codes: list[Code] = [None] * length
            for index, code in zip(live, past, strict=True):
                codes[index] = code
            for choice, factor in _choices(step, codes, kept, weights):
                codes[step.indices[0]] = choice
                following[tuple([codes[index] for index in kept])] += many * factor
        if len(following) > PASTS:
            return None
        ways, live = dict(following), kept
    return sum(ways.values())


def _choices(
    step: Step, codes: list[Code], kept: tuple[int, ...], weights: Mapping[int, int]
) -> Iterable[tuple[Code, int | float]]:
    """The codes of a step that must be told apart, each with the ways it stands for."""
    if not active(step.guard, codes):
        return [(None, 1)]
    if not isinstance(step, Single):
        return [(None, step.count(weights[step.indices[0]]))]
    choices = step.choices(codes)
    if choices is None:
        return [(None, math.inf)]
    if step.index not in kept:
        return [(None, len(choices))]
    return [(code, 1) for code in choices]


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
