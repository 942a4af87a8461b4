"""What a data set is: arrays to learn from and, where published, arrays to test on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from morphml.errors import CallerError

#: One array (n, ...), or one for each input of the network by its name.
Features = NDArray[np.generic] | Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Samples with what is to be said of them; sample i is row i of every array."""

    #: One array (n, ...), or one for each input of the network by its name.
    x: Features
    #: Classes (n,) as integers from 0, or targets (n,) or (n, d) as floats.
    y: NDArray[np.generic]

    def __post_init__(self) -> None:
        for name, array in arrays_of(self.x).items():
            if len(array) != len(self.y):
                where = f"input {name!r}" if name else "x"
                raise CallerError(
                    f"a data set needs as many samples in x as in y; {where} has {len(array)}, "
                    f"y has {len(self.y)}"
                )

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[np.intp]) -> Part:
        """The samples at ``rows``, copied."""
        if isinstance(self.x, Mapping):
            return Part(x={name: array[rows] for name, array in self.x.items()}, y=self.y[rows])
        return Part(x=self.x[rows], y=self.y[rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Samples to learn from, and those kept for the last test."""

    name: str
    train: Part
    #: None where no test part is published: the caller splits one off.
    test: Part | None = None


def arrays_of(x: Features) -> Mapping[str, NDArray[np.generic]]:
    """The arrays by input name; a single one under the empty name."""
    return x if isinstance(x, Mapping) else {"": x}
