"""Arrays of a split as tensors on a device, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from morphml.errors import EvaluatorError
from morphml.evaluation.data.dataset import Part, arrays_of
from morphml.evaluation.data.splitting import Split
from morphml.graph import Shape

#: One tensor (n, ...), or one for each input by name.
Inputs = torch.Tensor | dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TensorPart:
    """One part of a data set on a device."""

    #: Input tensors by name; a single one under the empty name.
    x: Mapping[str, torch.Tensor]
    y: torch.Tensor

    def __len__(self) -> int:
        return len(self.y)

    def batches(
        self, size: int, order: torch.Tensor | None = None
    ) -> Iterator[tuple[Inputs, torch.Tensor]]:
        """Batches of ``size`` samples (the last may be smaller), in ``order`` or as they lie."""
        for start in range(0, len(self), size):
            stop = start + size
            rows = slice(start, stop) if order is None else order[start:stop]
            x = {name: tensor[rows] for name, tensor in self.x.items()}
            yield x.get("", x), self.y[rows]

    def shaped(self, shapes: Mapping[str, Shape]) -> TensorPart:
        """The same samples with each input in the shape that the network takes.

        Args:
            shapes: input name to shape without the batch axis.

        Raises:
            EvaluatorError: when sizes differ, or the names do; with both shapes.
        """
        if "" in self.x and len(shapes) == 1:
            (shape,) = shapes.values()
            return TensorPart(x={"": _shaped(self.x[""], shape, "")}, y=self.y)
        if set(shapes) != set(self.x):
            raise EvaluatorError(
                f"the network takes the inputs {sorted(shapes)}, the data set has "
                f"{sorted(self.x) if '' not in self.x else 'one array without a name'}"
            )
        x = {name: _shaped(self.x[name], shape, name) for name, shape in shapes.items()}
        return TensorPart(x=x, y=self.y)


def _shaped(tensor: torch.Tensor, shape: Shape, name: str) -> torch.Tensor:
    have = tuple(tensor.shape[1:])
    if have == shape:
        return tensor
    if int(np.prod(have)) != int(np.prod(shape)):
        where = f"input {name!r}" if name else "the input"
        raise EvaluatorError(f"{where} of the network has shape {shape}, the data set has {have}")
    return tensor.reshape(-1, *shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensors:
    """The parts of a split that a search uses, on one device."""

    #: Such as ``cpu`` or ``cuda:0``.
    device: str
    train: TensorPart
    validation: TensorPart


def tensors_of(split: Split, *, device: str, classes: bool) -> Tensors:
    """The split on ``device``, with classes or with numbers to learn."""
    return Tensors(
        device=device,
        train=tensor_part(split.train, device=device, classes=classes),
        validation=tensor_part(split.validation, device=device, classes=classes),
    )


def tensor_part(part: Part, *, device: str, classes: bool) -> TensorPart:
    """The part's arrays on ``device``: floats as float32, integers as int64.

    Args:
        part: arrays; integer inputs stay integers only where they are int64 (tokens), since images
            come as small integers and are wanted as floats.
        device: such as ``cpu`` or ``cuda:0``.
        classes: True: the targets are classes; False: numbers.
    """
    x = {name: _tensor(array).to(device) for name, array in arrays_of(part.x).items()}
    y = torch.from_numpy(np.ascontiguousarray(part.y, np.int64 if classes else np.float32))
    return TensorPart(x=x, y=y.to(device))


def _tensor(array: NDArray[np.generic]) -> torch.Tensor:
    kind = np.int64 if array.dtype == np.int64 else np.float32
    return torch.from_numpy(np.ascontiguousarray(array, kind))
