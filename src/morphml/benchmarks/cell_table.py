"""The file in which the package keeps trainings of cells: plain arrays, by cell and by network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from morphml.benchmarks.columns import UNREADABLE, open_arrays
from morphml.benchmarks.curve import Curve
from morphml.errors import CallerError
from morphml.optimizers.events import JSON
from morphml.space import Architecture
from morphml.space.decisions import Vector

#: The parts that a network is scored on.
Held = Literal["validation", "test"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CellTable:
    """Trainings of n networks, s times each, scored after each of e epochs; c cells build them."""

    #: Names of the decisions.
    edges: tuple[str, ...]
    #: (c, edges) uint8: the cells as decision vectors.
    cells: npt.NDArray[np.uint8]
    #: (c,) uint16: which network a cell builds.
    network: npt.NDArray[np.uint16]
    #: (n, s, e) uint16: right answers among the samples held out for validation, and for the test.
    validation: npt.NDArray[np.uint16]
    test: npt.NDArray[np.uint16]
    #: How many samples these were.
    held: Mapping[str, int]
    #: (n,): weights, and operations of one forward pass.
    params: npt.NDArray[np.int64]
    flops: npt.NDArray[np.int64]
    #: (n,) float32: processor seconds of one epoch, the least of all.
    seconds: npt.NDArray[np.float32]
    #: How it was made.
    made: Mapping[str, JSON]

    @property
    def epochs(self) -> int:
        """Of each training."""
        return int(self.test.shape[2])

    @cached_property
    def vectors(self) -> list[Vector]:
        """The cells as the space has them."""
        return [tuple(cell) for cell in self.cells.tolist()]

    def accuracy(self, part: Held) -> npt.NDArray[np.float64]:
        """(n, e) in %: the mean over the trainings."""
        right = self.validation if part == "validation" else self.test
        share: npt.NDArray[np.float64] = right.mean(axis=1) / self.held[part]
        return 100.0 * share

    def save(self, path: Path) -> None:
        """Write the file; at once, so that there is never half of one."""
        parts = {"held": dict(self.held), "made": dict(self.made), "edges": list(self.edges)}
        unfinished = path.with_name(f"{path.name}.part")
        with unfinished.open("wb") as stream:
            np.savez_compressed(
                stream,
                about=np.array(json.dumps(parts)),
                **{name: getattr(self, name) for name in _ARRAYS},
            )
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> CellTable:
        """The table in a file.

        Raises:
            CallerError: there is none, or it is another kind of file.
        """
        if not path.is_file():
            raise CallerError(f"{path}: there is no such file")
        try:
            with open_arrays(path) as arrays:
                about = json.loads(str(arrays["about"]))
                return cls(
                    edges=tuple(about["edges"]),
                    held=about["held"],
                    made=about["made"],
                    **{name: arrays[name] for name in _ARRAYS},
                )
        except (*UNREADABLE, KeyError, TypeError, AttributeError) as error:
            raise CallerError(
                f"{path}: is no table of `morphml bench make-table`: {error}"
            ) from error


_ARRAYS = ("cells", "network", "validation", "test", "params", "flops", "seconds")


class TableCurves:
    """The curves of a table's cells, in %.

    Args:
        table: of whole trainings.
    """

    def __init__(self, table: CellTable) -> None:
        self.epochs = table.epochs
        pairs = zip(table.vectors, table.network.tolist(), strict=True)
        self._networks: dict[Vector, int] = dict(pairs)
        self._validation = table.accuracy("validation")
        self._test = table.accuracy("test")
        self._seconds = table.seconds

    def __call__(self, architecture: Architecture, /) -> Curve | None:
        """``validation`` and ``test`` after each epoch; None where the cell is not there."""
        network = self._networks.get(architecture.vector)
        if network is None:
            return None
        pairs = zip(self._validation[network].tolist(), self._test[network].tolist(), strict=True)
        return Curve(
            metrics=tuple({"validation": seen, "test": truth} for seen, truth in pairs),
            seconds=float(self._seconds[network]),
        )
