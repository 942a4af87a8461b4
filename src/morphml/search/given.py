"""Checks of single values that a person gives: the right kind, within the range, else named."""

from __future__ import annotations

import math

from morphml.errors import ExperimentError

#: The largest count that every store and every float can hold.
LARGEST = 2**53


def check_count(what: str, value: object, least: int, most: int = LARGEST) -> None:
    """Refuse what is not a whole number from ``least`` to ``most``.

    Raises:
        ExperimentError: with the name, the range and the value.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and least <= value <= most):  # type: ignore[operator]  # whole: it is an int
        upper = "" if most == LARGEST else f" to {most:,}"
        raise ExperimentError(f"{what}: a whole number from {least:,}{upper}, got {value!r}")


def check_positive(what: str, unit: str, value: object) -> None:
    """Refuse what is not a finite number above zero.

    Raises:
        ExperimentError: with the name, the unit and the value.
    """
    if not (is_finite(value) and value > 0):  # type: ignore[operator]  # finite: it is a number
        raise ExperimentError(f"{what}: {unit}, more than 0, got {value!r}")


def check_whole(what: str, value: object) -> None:
    """Refuse what is not a whole number.

    Raises:
        ExperimentError: with the name and the value.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ExperimentError(f"{what}: a whole number, got {value!r}")


def check_finite(what: str, value: object) -> None:
    """Refuse what is not a finite number.

    Raises:
        ExperimentError: with the name and the value.
    """
    if not is_finite(value):
        raise ExperimentError(f"{what}: a finite number, got {value!r}")


def check_name(what: str, value: object) -> None:
    """Refuse what is not a text with something in it.

    Raises:
        ExperimentError: with the name and the value.
    """
    if not (isinstance(value, str) and value):
        raise ExperimentError(f"{what}: a text that is not empty, got {value!r}")


def check_flag(what: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises:
        ExperimentError: with the name and the value.
    """
    if not isinstance(value, bool):
        raise ExperimentError(f"{what}: True or False, got {value!r}")


def is_finite(value: object) -> bool:
    """Whether it is an int or a float, and neither NaN nor infinite; a bool is no number here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
