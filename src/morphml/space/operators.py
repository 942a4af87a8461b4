"""Mutation, crossover and neighbours over the decision table.

Every result is settled, so it is a member; where the space has constraints, the caller asks again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from morphml.space.decisions import Code, Decision, Kind, Vector
from morphml.space.table import Single, Step, Table

#: Integers with more values than this move by steps instead of to any other value.
MANY = 64
#: Spread of a step on the encoded scale [0, 1] of reals and long integers.
STEP = 0.2
#: So many decisions are looked at to find one that can change.
TRIES = 200


def mutated(table: Table, vector: Vector, rng: np.random.Generator) -> Vector | None:
    """One active decision changed at random, what it activates drawn; None when none was found.

    Every active decision with another value has the same chance. A decision of a graph stands for
    any change of that graph: an operation, an edge, a node.
    """
    if not vector:
        return None
    codes = list(vector)
    for _ in range(TRIES):
        index = int(rng.random() * len(codes))
        if codes[index] is None:
            continue
        step = table.owner[index]
        if not isinstance(step, Single):
            moved = step.moved(codes, rng)
            if moved is None:
                continue
            codes = moved
        elif _has_other(step, codes):
            codes[index] = _other(step, codes, rng)
        else:
            continue
        return table.settled(codes, rng.random(len(codes)).tolist())
    return None


def crossed(table: Table, one: Vector, other: Vector, rng: np.random.Generator) -> Vector:
    """Each decision from one of two members; what only one of them has comes from that one."""
    picks = rng.random(len(one)).tolist()
    codes: list[Code] = [
        (a if b is None else b) if (pick < 0.5 and b is not None) or a is None else a
        for a, b, pick in zip(one, other, picks, strict=True)
    ]
    return table.settled(codes)


def neighbours(table: Table, vector: Vector) -> Iterator[Vector]:
    """Members that differ in one decision (and in what depends on it), in the table's order.

    Reals move by a tenth of their scale, down and up; integers with many values by 1 and by a
    tenth. What a change activates takes its default. No member comes twice.
    """
    seen = {vector}
    for step in table.steps:
        for codes in _moves(step, vector):
            made = table.settled(codes)
            if made not in seen:
                seen.add(made)
                yield made


def _moves(step: Step, vector: Vector) -> Iterator[list[Code]]:
    if not isinstance(step, Single):
        yield from step.moves(vector)
        return
    code = vector[step.index]
    if code is None:
        return
    for other in _others(step, vector, code):
        codes = list(vector)
        codes[step.index] = other
        yield codes


def _others(step: Single, vector: Vector, code: int | float) -> list[int | float]:
    choices = step.choices(vector)
    decision = step.decision
    if choices is not None and len(choices) <= MANY:
        return [other for other in choices if other != code]
    place = decision.encode(code)
    made = [decision.decode(place - 0.1), decision.decode(place + 0.1)]
    if choices is not None:
        made += [int(code) - 1, int(code) + 1]
        made = [other for other in sorted(set(made)) if other in choices]
    return [other for other in made if other != code]


def _has_other(step: Single, codes: list[Code]) -> bool:
    if step.allowed is not None:
        return len(step.allowed(codes)) > 1
    return step.decision.low < step.decision.high


def _other(step: Single, codes: list[Code], rng: np.random.Generator) -> int | float:
    """Another code of this decision: any for choices, mostly a near one on long scales."""
    code = codes[step.index]
    assert code is not None
    choices = step.choices(codes)
    if choices is None:
        return _stepped(step.decision, code, rng)
    if len(choices) > MANY and step.allowed is None:
        moved = _stepped(step.decision, code, rng)
        if moved != code:
            return moved
    position = int(rng.random() * (len(choices) - 1))
    other = choices[position]
    return choices[position + 1] if other >= code else other


def _stepped(decision: Decision, code: int | float, rng: np.random.Generator) -> int | float:
    """A code a normal step away on the encoded scale, reflected at its ends."""
    place = abs(decision.encode(code) + STEP * rng.standard_normal())
    place = min(place, 2.0 - place) if place > 1.0 else place
    moved = decision.decode(place)
    if decision.kind is Kind.REAL and moved == code:
        return decision.draw(rng.random())
    return moved
