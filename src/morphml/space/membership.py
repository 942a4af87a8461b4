"""Vectors of members: from values, all of them, and why something is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from morphml.errors import ConstraintError, ShapeError, SpaceError
from morphml.hints import did_you_mean
from morphml.space.architecture import Architecture
from morphml.space.compiled import Compiled
from morphml.space.decisions import Code, Decision, Kind, Vector
from morphml.space.table import Table

if TYPE_CHECKING:
    from morphml.space.search_space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Whether something is a member of a space; true or false in a boolean context."""

    ok: bool
    #: Why not; empty when it is.
    reason: str = ""

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One decision in which two members differ; None stands for inactive."""

    path: str
    left: object
    right: object

    def __str__(self) -> str:
        return f"{self.path}: {self.left!r} -> {self.right!r}"


def vector_of(compiled: Compiled, values: Mapping[str, object]) -> Vector:
    """The vector with these values by path, and defaults elsewhere.

    Raises:
        SpaceError: an unknown path, a wrong value, or a decision that is not active or not allowed.
    """
    table = compiled.table
    codes: list[Code] = [None] * len(table)
    for path, value in values.items():
        index = compiled.by_path.get(path)
        if index is None:
            hint = did_you_mean(path, compiled.by_path)
            raise SpaceError(f"this space has no decision with this path{hint}", path=path)
        codes[index] = table.decisions[index].code(value)
    made = table.settled(codes)
    for path, value in values.items():
        index = compiled.by_path[path]
        if made[index] != codes[index]:
            raise _refusal(table.decisions[index], made[index], value)
    return made


def vector_problem(table: Table, vector: Vector) -> SpaceError:
    """Why a vector is no member's."""
    if len(vector) != len(table):
        return SpaceError(f"this space has {len(table)} decisions; the vector has {len(vector)}")
    for decision, code in zip(table.decisions, vector, strict=True):
        if code is not None and not decision.holds(code):
            return SpaceError(f"{code!r} is no code of this decision", path=decision.path)
    settled = table.settled(vector)
    for decision, code, right in zip(table.decisions, vector, settled, strict=True):
        if code != right:
            return _refusal(decision, right, code)
    raise AssertionError("this vector is a member's")


def differences(
    decisions: Sequence[Decision], one: Vector, other: Vector
) -> tuple[Difference, ...]:
    """The decisions in which two vectors differ."""
    return tuple(
        Difference(path=decision.path, left=_shown(decision, a), right=_shown(decision, b))
        for decision, a, b in zip(decisions, one, other, strict=True)
        if a != b
    )


def all_vectors(table: Table) -> Iterator[Vector]:
    """Every member's vector once.

    Raises:
        SpaceError: when a real decision is active in one of them.
    """
    todo: list[Iterator[list[Code]]] = [iter([[None] * len(table)])]
    while todo:
        codes = next(todo[-1], None)
        if codes is None:
            todo.pop()
        elif len(todo) > len(table.steps):
            yield tuple(codes)
        else:
            todo.append(iter(table.steps[len(todo) - 1].settings(codes)))


def judged(
    space: SearchSpace, candidate: Architecture | Mapping[str, object] | Sequence[Code]
) -> Membership:
    """Whether ``candidate`` is a member of ``space``."""
    try:
        if isinstance(candidate, Architecture):
            same = candidate.space is space or candidate.space == space
            values = candidate.decisions
            made = space.architecture(candidate.vector) if same else space.member(values)
            if not same and made.decisions != values:
                missing = sorted(set(made.decisions) ^ set(values))
                return Membership(ok=False, reason=f"only one of the two has {', '.join(missing)}")
        elif isinstance(candidate, Mapping):
            made = space.member(candidate)
        else:
            made = space.architecture(candidate)
        for constraint in space.compiled.constraints:
            if not constraint.holds(made):
                return Membership(ok=False, reason=f"it breaks the constraint {constraint.text!r}")
        if space.has_graph:
            _ = made.graph
    except (SpaceError, ConstraintError, ShapeError) as error:
        return Membership(ok=False, reason=str(error))
    return Membership(ok=True)


def _refusal(decision: Decision, settled: Code, given: object) -> SpaceError:
    if settled is None:
        when = f": it is active when {decision.condition}" if decision.condition else ""
        return SpaceError(f"{given!r} is given for a decision that is not active here{when}",
                          path=decision.path)  # fmt: skip
    if given is None:
        return SpaceError("the decision is active here and has no code", path=decision.path)
    return SpaceError(
        f"{given!r} is not allowed with the earlier decisions; the nearest is "
        f"{_shown(decision, settled)!r}",
        path=decision.path,
    )


def _shown(decision: Decision, code: Code) -> object:
    if code is None or decision.kind in (Kind.INTEGER, Kind.REAL):
        return code
    return decision.options[int(code)]
