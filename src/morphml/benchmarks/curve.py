"""What is known of one member epoch by epoch, for searches that give some fewer epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from morphml.space import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One training."""

    #: Metrics after epoch 1, 2, ...; the last are those of a full trial.
    metrics: tuple[Mapping[str, float], ...]
    #: Seconds of one epoch; > 0.
    seconds: float


class Curves(Protocol):
    """Where the curves of a problem come from; it is pickled to other processes."""

    @property
    def epochs(self) -> int:
        """Epochs of a full trial; at least 1."""
        ...

    def __call__(self, architecture: Architecture, /) -> Curve | None:
        """The curve of a member; None where it was never measured."""
        ...
