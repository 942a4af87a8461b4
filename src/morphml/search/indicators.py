"""How good a set of results is for several objectives at once, by moocore.

Values are minimised, as `Objective.minimised` gives them; shapes are (points, objectives).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from morphml.errors import CallerError, MissingExtraError

Values = Sequence[Sequence[float]]


def hypervolume(points: Values, reference: Sequence[float]) -> float:
    """The volume that is dominated by points and dominates ``reference``; 0 without points.

    Source: Zitzler and Thiele, 1998; computed as in Guerreiro, Fonseca and Paquete, 2021.

    Raises:
        CallerError: points and reference have different numbers of objectives.
        MissingExtraError: moocore is not installed.
    """
    _require(points, reference)
    if not points:
        return 0.0
    import moocore  # noqa: PLC0415 an extra

    return float(moocore.hypervolume(points, ref=reference))


def igd_plus(points: Values, target: Values) -> float:
    """How far, on average, points of ``target`` are from being dominated; 0 where all are.

    Objectives count in their own units: scale them first where these differ much. Infinite without
    points.

    Source: Ishibuchi et al., 2015 (IGD+).

    Raises:
        CallerError: there is no target, or numbers of objectives differ.
        MissingExtraError: moocore is not installed.
    """
    if not target:
        raise CallerError("igd_plus: the target has no point")
    _require(points, target[0])
    if not points:
        return float("inf")
    import moocore  # noqa: PLC0415 an extra

    return float(moocore.igd_plus(points, ref=target))


def installed() -> bool:
    """Whether moocore is here."""
    return find_spec("moocore") is not None


def _require(points: Values, other: Sequence[float]) -> None:
    if not installed():
        raise MissingExtraError("an indicator of several objectives", extra="bo")
    widths = {len(point) for point in points} - {len(other)}
    if widths:
        raise CallerError(
            f"points of {widths.pop()} objectives do not compare with a point of {len(other)}"
        )
