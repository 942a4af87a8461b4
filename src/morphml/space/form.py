"""How values of a space are written: the Python form, which is also their identity.

Two values of the space language are equal when they are written alike, so `repr` is the one place
where sameness is decided: ``1``, ``1.0`` and ``True`` stay different, and the text form of a space
is read back to an equal space.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TypeAlias

from morphml.errors import SpaceError
from morphml.graph.values import Scalar

#: A plain value that may stand in the text form: a scalar or a tuple of such values.
Literal: TypeAlias = "Scalar | tuple[Literal, ...]"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SEGMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")


def call(function: str, positional: tuple[object, ...], keywords: Mapping[str, object]) -> str:
    """The text of a call, such as ``choice(16, 32, name='width')``; None keywords are left out."""
    parts = [repr(value) for value in positional]
    parts += [f"{key}={value!r}" for key, value in keywords.items() if value is not None]
    return f"{function}({', '.join(parts)})"


def check_name(name: object, *, of: str) -> None:
    """Refuse a decision's name that could not be read back inside an expression.

    Raises:
        SpaceError: when ``name`` is given and is not a plain identifier.
    """
    if name is not None and not (isinstance(name, str) and _NAME.match(name)):
        raise SpaceError(f"the name of {of} must be letters, digits and _, got {name!r}")


def check_segment(name: object, *, of: str) -> None:
    """Refuse a block's name that could not be one segment of a path.

    Raises:
        SpaceError: when ``name`` is given and holds a slash, a space, or begins with a digit.
    """
    if name is not None and not (isinstance(name, str) and _SEGMENT.match(name)):
        raise SpaceError(
            f"the name of {of} must begin with a letter and hold letters, digits, '_', '-' and '.' "
            f"only, got {name!r}"
        )


def check_flag(value: object, what: str, *, of: str) -> None:
    """Refuse anything but True and False.

    Raises:
        SpaceError: for another value, such as an expression.
    """
    if not isinstance(value, bool):
        raise SpaceError(f"{what} of {of}() is True or False, got {value!r}")


def is_literal(value: object) -> bool:
    """True when ``value`` is a scalar or a tuple of such; numbers finite, whole ones of 64 bits."""
    if isinstance(value, tuple):
        return all(is_literal(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or isinstance(value, str)


def plain(value: object) -> object:
    """``value`` with lists made tuples and numpy numbers made Python's; others unchanged."""
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return value.item()
    return value
