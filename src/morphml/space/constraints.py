"""Constraints of a space: conditions over named decisions and figures, or functions.

A space's constraints say which members there are; an experiment's (``params <= 500_000`` in
`mm.search`) only which of them are worth a trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from morphml.errors import ConstraintError, SpaceError
from morphml.hints import did_you_mean
from morphml.space.blocks import import_path
from morphml.space.compiler import Compiler
from morphml.space.decisions import Vector
from morphml.space.definition import FIGURES
from morphml.space.expressions import Expression, evaluate
from morphml.space.importing import resolved
from morphml.space.values import Value, names_read

#: So many draws in a row may be rejected.
REJECTIONS = 1000


class Candidate(Protocol):
    """What a constraint may look at: an architecture."""

    @property
    def vector(self) -> Vector:
        """Its codes."""

    @property
    def computed(self) -> Mapping[str, float]:
        """Its params, flops and activation bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One rule that every member obeys."""

    #: As the caller wrote it.
    text: str
    #: A condition, or a function of the architecture.
    rule: object
    #: Named decisions that a condition reads.
    named: Mapping[str, Value]
    #: Figures that a condition reads; they need the model graph.
    figures: tuple[str, ...] = ()

    def holds(self, candidate: Candidate) -> bool:
        """True when the candidate obeys.

        Raises:
            ConstraintError: when the rule cannot be computed for it.
        """
        try:
            if not isinstance(self.rule, Expression):
                return bool(resolved(self.rule)(candidate))
            environment: dict[str, object] = {
                name: value.of(candidate.vector, None) for name, value in self.named.items()
            }
            for figure in self.figures:
                environment[figure] = candidate.computed[figure]
            return bool(evaluate(self.rule, environment))
        except SpaceError as error:
            raise ConstraintError(
                f"the constraint {self.text!r} cannot be computed: {error}", constraint=self.text
            ) from error


def compile_constraints(
    given: tuple[object, ...], compiler: Compiler, has_graph: bool
) -> tuple[Constraint, ...]:
    """The constraints, those without figures first (they are cheaper).

    Raises:
        ConstraintError: a text that is no condition, or a name that is neither a decision nor a
            figure.
    """
    made = [_compiled(constraint, compiler, has_graph) for constraint in given]
    return tuple(sorted(made, key=lambda c: (bool(c.figures), not isinstance(c.rule, Expression))))


def _compiled(given: object, compiler: Compiler, has_graph: bool) -> Constraint:
    if isinstance(given, str) and _is_import_path(given):
        return Constraint(text=given, rule=given, named={})
    if not isinstance(given, str | Expression):
        return Constraint(text=import_path(given).strip("'"), rule=given, named={})
    text = given if isinstance(given, str) else repr(given)
    rule = _parsed(given) if isinstance(given, str) else given
    try:
        names = names_read(rule)
    except SpaceError as error:
        raise ConstraintError(f"{text!r}: {error}", constraint=text) from error
    figures = tuple(n for n in names if n in FIGURES and n not in compiler.named)
    for name in names:
        if name not in compiler.named and name not in figures:
            raise ConstraintError(_unknown(name, text, compiler), constraint=text)
    if figures and not has_graph:
        raise ConstraintError(
            f"{text!r} reads {figures[0]}, but this space has no layers to count", constraint=text
        )
    named = {name: _strict(name, compiler) for name in names if name in compiler.named}
    return Constraint(text=text, rule=rule, named=named, figures=figures)


def _strict(name: str, compiler: Compiler) -> Value:
    """The named decision's value; None where it is inactive."""
    index, value = compiler.by_path[name], compiler.named[name]
    return Value(value.reads, lambda codes, c: None if codes[index] is None else value.of(codes, c))


def _parsed(text: str) -> Expression:
    from morphml.space.text import parse_constraint  # noqa: PLC0415  (the parser knows spaces)

    return parse_constraint(text)


def _is_import_path(text: str) -> bool:
    module, colon, name = text.partition(":")
    return bool(colon) and all(p.isidentifier() for p in (*module.split("."), *name.split(".")))


def _unknown(name: str, text: str, compiler: Compiler) -> str:
    known = [*compiler.named, *FIGURES]
    hint = did_you_mean(name, known)
    return f"{text!r} reads {name!r}, which is neither a named decision nor a figure{hint}"
