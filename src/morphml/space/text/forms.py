"""What a text may describe: a space, a block, an expression, a constraint."""

from __future__ import annotations

from typing import TypeGuard

from morphml.errors import TextFormError
from morphml.space.blocks import Block
from morphml.space.domains import is_block
from morphml.space.expressions import Comparison, Expression, Logic, ref
from morphml.space.search_space import SearchSpace
from morphml.space.text.names import CALLS, EXPRESSION_CALLS, PREFIXES
from morphml.space.text.reader import Vocabulary, read

_SPACE = Vocabulary(calls=CALLS, prefixes=PREFIXES)
_EXPRESSION = Vocabulary(calls=EXPRESSION_CALLS, prefixes=PREFIXES, unknown=ref)
_RELATIONS = ("<=", ">=", "==", "!=", "<", ">")


def parse_space(text: str) -> SearchSpace:
    """The space that a text describes; reading ``repr(space)`` gives an equal space.

    Args:
        text: a call such as ``SearchSpace(input=(4,), layers=[L.output(2)])`` or
            ``spaces.nasbench201()``; lines of ``name = expression`` may stand before it.

    Raises:
        TextFormError: with line, column and the nearest allowed name.
    """
    value = read(text, _SPACE)
    if not isinstance(value, SearchSpace):
        raise _wrong("a space such as SearchSpace(...)", value)
    return value


def parse_block(text: str) -> object:
    """The block that a text describes, such as ``repeat(L.relu(), times=2)`` or a choice of blocks.

    Raises:
        TextFormError: with line, column and the nearest allowed name.
    """
    value = read(text, _SPACE)
    if not (isinstance(value, Block) or is_block(value)):
        raise _wrong("a block such as L.relu()", value)
    return value


def parse_expression(text: str) -> Expression | int | float:
    """The expression that a text describes; a bare name reads the decision of that name.

    Args:
        text: such as ``round_to(width * 2, 8)`` or ``depth > 1``.

    Raises:
        TextFormError: with line, column and the nearest allowed name.
    """
    value = read(text, _EXPRESSION)
    if not _is_quantity(value):
        raise _wrong("an expression such as width * 2", value)
    return value


def parse_constraint(text: str, subject: str = "") -> Expression:
    """The condition that a text describes; a bare name reads a decision, or a figure of the graph.

    Args:
        text: such as ``params <= 500_000`` or ``depth * width < 256``; with a ``subject`` also the
            short form ``<= 500_000``.
        subject: what the short form is about, such as ``params``.

    Raises:
        TextFormError: with line, column and the nearest allowed name.
    """
    sign = next((sign for sign in _RELATIONS if text.lstrip().startswith(sign)), None)
    if sign is not None:
        return _short_constraint(text, sign, subject)
    value = read(text, _EXPRESSION)
    if not isinstance(value, Comparison | Logic):
        raise _wrong("a comparison such as params <= 500_000", value)
    return value


def _is_quantity(value: object) -> TypeGuard[Expression | int | float]:
    return isinstance(value, Expression | int | float) and not isinstance(value, bool)


def _short_constraint(text: str, sign: str, subject: str) -> Expression:
    if not subject:
        raise TextFormError(
            f"{text!r} does not say what is compared: write `params {text.strip()}`",
            line=1,
            column=1,
        )
    # Blanks in place of the sign keep the columns of what follows.
    limit = read(text.replace(sign, " " * len(sign), 1), _EXPRESSION)
    if isinstance(limit, Comparison | Logic) or not _is_quantity(limit):
        raise _wrong(f"a limit after {sign}, such as 500_000", limit)
    return Comparison(sign=sign, left=ref(subject), right=limit)


def _wrong(expected: str, value: object) -> TextFormError:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return TextFormError(f"expected {expected}, got {shown}", line=1, column=1)
