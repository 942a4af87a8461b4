"""The check of a space when it is defined: do its members' shapes fit?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from morphml.errors import ConstraintError, ShapeError, SpaceError
from morphml.graph.checking import checked
from morphml.space.compiled import Compiled
from morphml.space.decisions import Code, Vector

#: So many random members are checked, besides the starting point and the two ends of all scales.
SAMPLES = 8
#: So many of them are also checked for the kinds of numbers that arrive at operations.
CHECKED = 3


def check_members(compiled: Compiled) -> None:
    """Lower some members, always the same ones: the default, all lowest, all highest, and draws.

    Raises:
        ShapeError: shapes that do not fit, with path and shapes, and the decisions that lead there.
        SpaceError: anything else that a member breaks.
    """
    if compiled.network is None or _is_by_path(compiled):
        return
    seen: set[Vector] = set()
    for number, vector in enumerate(_samples(compiled)):
        if vector in seen or not _wanted(compiled, vector):
            continue
        seen.add(vector)
        try:
            graph = compiled.network.lower(vector).graph
            if number < CHECKED:
                checked(graph, compiled.catalogue)
        except SpaceError as error:
            if number == 0 or not compiled.table.decisions:
                raise
            raise _with_member(error, compiled, vector) from error


def _samples(compiled: Compiled) -> Iterator[Vector]:
    table = compiled.table
    yield table.settled([None] * len(table))
    yield table.settled([_end(d.low) for d in table.decisions])
    yield table.settled([_end(d.high) for d in table.decisions])
    rng = np.random.Generator(np.random.PCG64(0))
    for _ in range(SAMPLES):
        yield table.draw(rng)


def _end(bound: float) -> Code:
    return bound


def _wanted(compiled: Compiled, vector: Vector) -> bool:
    """False for members that a constraint on decisions alone rules out."""
    probe = _Probe(vector)
    try:
        return all(c.holds(probe) for c in compiled.constraints if c.named and not c.figures)
    except ConstraintError:
        return True


class _Probe:
    """What a constraint on decisions looks at."""

    __slots__ = ("vector",)

    def __init__(self, vector: Vector) -> None:
        self.vector = vector

    @property
    def computed(self) -> dict[str, float]:
        """Nothing: constraints on figures are not asked."""
        return {}


def _is_by_path(compiled: Compiled) -> bool:
    """True when the user's code is named by import path only: reading a text imports nothing."""
    return any(isinstance(module, str) for module in compiled.custom.values())


def _with_member(error: SpaceError, compiled: Compiled, vector: Vector) -> SpaceError:
    pairs = zip(compiled.table.decisions, vector, strict=True)
    values = [
        f"{d.path}={d.options[int(code)] if d.options else code!r}"
        for d, code in pairs
        if code is not None
    ]
    shown = ", ".join(values[:8]) + (", ..." if len(values) > 8 else "")
    text = str(error).removeprefix(f"{error.path}: ")
    message = f"{text} (in the member with {shown})"
    if isinstance(error, ShapeError):
        return ShapeError(message, path=error.path, shapes=error.shapes)
    return SpaceError(message, path=error.path)
