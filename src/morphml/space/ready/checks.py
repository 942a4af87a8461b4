"""Checks of the arguments of ready-made spaces, so that a wrong one is named before it is used."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.errors import SpaceError


def check_count(name: str, value: object, *, least: int = 1, most: int = 10_000) -> None:
    """Refuse ``value`` unless it is a whole number in [least, most].

    Raises:
        SpaceError: with the argument's name, the range and the value got.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SpaceError(f"{name} must be a whole number from {least} to {most}, got {value!r}")


def check_counts(name: str, values: object, *, least: int = 1, most: int = 10_000) -> None:
    """Refuse ``values`` unless it is a non-empty list or tuple of whole numbers in [least, most].

    Raises:
        SpaceError: with the argument's name, the range and the value got.
    """
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise SpaceError(f"{name} must be a list of whole numbers, got {values!r}")
    for value in values:
        check_count(f"each of {name}", value, least=least, most=most)
