"""The unit cube in which encoded architectures lie: walls, and points as short text for notes."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Steps into which 0 to 1 is divided in a note: 16 bits a coordinate.
_STEPS = 65_535


def reflected(point: Floats) -> Floats:
    """Thrown back at the walls, so that what flies out does not pile up on them. Shape (n,)."""
    folded = np.abs(point) % 2.0
    return np.where(folded > 1.0, 2.0 - folded, folded)


def as_text(point: Floats) -> str:
    """Coordinates from 0 to 1 as base64 of 16 bits each: 8 characters for three of them."""
    steps = np.rint(point * _STEPS).astype("<u2")
    return b2a_base64(steps.tobytes(), newline=False).decode("ascii")


def from_text(text: str) -> Floats:
    """The inverse of ``as_text``, to 1/131070."""
    steps = np.frombuffer(a2b_base64(text), dtype="<u2")
    return steps.astype(np.float64) / _STEPS
