"""Measured results by decision vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from morphml.ids import digest
from morphml.space import Architecture, SearchSpace
from morphml.space.decisions import Vector


class Rows:
    """One row of results for each vector.

    Args:
        vectors: of the space that is searched.
        columns: metric name to one value for each vector; NaN where it was not measured.
        networks: a space with graphs whose members have the same vectors, to tell networks apart;
            None where the space searched has graphs itself, or there are none.
    """

    def __init__(
        self,
        vectors: Sequence[Vector],
        columns: Mapping[str, npt.NDArray[np.float64]],
        networks: SearchSpace | None = None,
    ) -> None:
        self._places = {vector: place for place, vector in enumerate(vectors)}
        self._columns = dict(columns)
        self._networks = networks

    def __len__(self) -> int:
        """How many vectors have a row."""
        return len(self._places)

    def __call__(self, architecture: Architecture, /) -> dict[str, float] | None:
        """The metrics of a member; None where it has no row, or a gap in it."""
        place = self._places.get(architecture.vector)
        if place is None:
            return None
        found = {name: float(column[place]) for name, column in self._columns.items()}
        return found if all(value == value for value in found.values()) else None

    def network(self, architecture: Architecture, /) -> str | None:
        """The graph id of what is built."""
        if self._networks is None:
            return architecture.graph_id
        return self._networks.architecture(architecture.vector).graph_id

    @cached_property
    def digest(self) -> str:
        """Digest of all vectors and values."""
        parts = [repr(sorted(self._columns)).encode(), repr(list(self._places)).encode()]
        parts += [self._columns[name].tobytes() for name in sorted(self._columns)]
        return digest(b"\0".join(parts))
