"""How large a text becomes once its names are written out, found before anything is made of it.

Names may be used again, so forty lines such as ``a = sequence(a, a)`` describe more blocks than any
memory holds. The size and height of what each line stands for follow from its syntax tree alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

#: Most values (numbers, decisions, blocks) that a text may describe with its names written out.
MAX_VALUES = 100_000
#: Most levels that its values may nest with its names written out; each can put one bracket into
#: the text that `repr` gives, and no more brackets than these can be read back.
MAX_HEIGHT = 90

#: The line at fault and the rule it breaks.
Excess: TypeAlias = tuple[ast.stmt, str]


@dataclass(frozen=True, slots=True)
class _Extent:
    size: int
    height: int


_ONE = _Extent(1, 1)


def excess(statements: Iterable[ast.stmt]) -> Excess | None:
    """The first line that makes the text too large, or None; O(nodes), never recurses."""
    known: dict[str, _Extent] = {}
    total = 0
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                extent = known[name] = _extent(value, known)
            case ast.Expr(value=value):
                extent = _extent(value, known)
            case _:
                continue  # the reader refuses it with a word of its own
        total += extent.size
        if total > MAX_VALUES:
            return statement, f"written out, the text holds more than {MAX_VALUES:,} values"
        if extent.height > MAX_HEIGHT:
            return statement, f"written out, the text nests deeper than {MAX_HEIGHT} levels"
    return None


def _extent(value: ast.expr, known: dict[str, _Extent]) -> _Extent:
    size = depth = height = 0
    level: list[ast.expr] = [value]
    while level:
        for node in level:
            used = known.get(node.id, _ONE) if isinstance(node, ast.Name) else _ONE
            size += used.size
            height = max(height, depth + used.height)
        depth += 1
        level = [part for node in level for part in _parts(node)]
    return _Extent(size, height)


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The values directly below; the name of a call is none."""
    if isinstance(node, ast.Call):
        yield from node.args
        yield from (keyword.value for keyword in node.keywords)
    else:
        yield from (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
