"""Decisions as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.graph.values import Scalar


def plain_value(value: object) -> Scalar:
    """A decision's value; a block or another thing that JSON has not, as its text.

    >>> plain_value(0.5), plain_value((3, 3))
    (0.5, '(3, 3)')
    """
    return value if isinstance(value, bool | int | float | str | None) else repr(value)


def plain_decisions(decisions: Mapping[str, object]) -> dict[str, Scalar]:
    """The values of all decisions by path, in their order."""
    return {path: plain_value(value) for path, value in decisions.items()}
