"""Conditions of jobs, such as ``${train.accuracy} >= 0.9 and not ${check.failed}``.

Python's grammar, read and never executed: comparisons, ``and``, ``or``, ``not``, ``in``, numbers,
texts and references.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from morphml.errors import WorkflowError
from morphml.optimizers.events import JSON
from morphml.workflow.references import Reference, parse_reference

#: Most characters of a condition.
MAX_LENGTH = 1_000
#: Deepest nesting of its parts.
MAX_DEPTH = 20

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
#: What a reference is called while Python's grammar is at work; no author may write it.
_PLACE = "__reference_{}"
_RELATIONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read; made by ``parse_condition``."""

    #: As its author wrote it.
    text: str
    #: What it asks for, in the order of the text.
    references: tuple[Reference, ...]
    _tree: ast.expr

    def holds(self, look_up: Callable[[Reference], JSON]) -> bool:
        """Whether it is true of the values that ``look_up`` gives.

        What is missing is null; null is neither smaller nor larger than anything.

        Raises:
            WorkflowError: when values cannot be compared, such as a text with a number.
        """
        values = {_PLACE.format(n): look_up(each) for n, each in enumerate(self.references)}
        try:
            return bool(_value(self._tree, values))
        except TypeError as error:
            raise WorkflowError(f"condition {self.text!r}: {error}") from error


def parse_condition(text: str) -> Condition:
    """The condition that ``text`` states.

    Raises:
        WorkflowError: when it is none; says which part is not allowed.
    """
    if len(text) > MAX_LENGTH:
        raise WorkflowError(f"a condition has at most {MAX_LENGTH:,} characters, got {len(text):,}")
    references: list[Reference] = []

    def place(found: re.Match[str]) -> str:
        references.append(parse_reference(found[1]))
        return f" {_PLACE.format(len(references) - 1)} "

    if _PLACE.format("") in text:
        raise _refused(text, f"the name {_PLACE.format('')} is not yours to use")
    replaced = _REFERENCE.sub(place, text).strip()
    try:
        tree = ast.parse(replaced, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
        raise _refused(text, reason) from error
    _check(tree, text, MAX_DEPTH)
    return Condition(text, tuple(references), tree)


def _check(node: ast.expr, text: str, depth: int) -> None:
    if depth == 0:
        raise _refused(text, f"its parts nest deeper than {MAX_DEPTH} levels")
    match node:
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=part):
            parts = [part]
        case ast.Compare(left=left, ops=relations, comparators=others) if all(
            type(each) in _RELATIONS for each in relations
        ):
            parts = [left, *others]
        case ast.Constant(value=bool() | int() | float() | str() | None):
            parts = []
        case ast.Name(id=name) if name.startswith(_PLACE.format("")):
            parts = []
        case ast.Name(id=name):
            raise _refused(text, f"{name!r} is no value; an output is written ${{job.{name}}}")
        case _:
            raise _refused(text, f"{ast.unparse(node)!r} is not allowed in a condition")
    for part in parts:
        _check(part, text, depth - 1)


def _value(node: ast.expr, values: dict[str, JSON]) -> JSON:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_value(part, values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return not _value(part, values)
        case ast.UnaryOp(operand=part):
            return _negative(_value(part, values))
        case ast.Compare():
            return _compared(node, values)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, values) for part in parts]
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case _:
            raise AssertionError(f"not checked: {ast.dump(node)}")


def _compared(node: ast.Compare, values: dict[str, JSON]) -> bool:
    left = _value(node.left, values)
    for relation, other in zip(node.ops, node.comparators, strict=True):
        right = _value(other, values)
        if isinstance(relation, _ORDERED) and (left is None or right is None):
            return False
        if not _RELATIONS[type(relation)](left, right):
            return False
        left = right
    return True


def _negative(value: JSON) -> JSON:
    if not isinstance(value, int | float):
        raise TypeError(f"only a number has a negative, got {value!r}")
    return -value


def _refused(text: str, why: str) -> WorkflowError:
    return WorkflowError(f"condition {text!r}: {why}")
