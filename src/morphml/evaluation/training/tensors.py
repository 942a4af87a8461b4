"""Arrays of a split as tensors on a device, and batches of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from morphml.errors import EvaluatorError
from morphml.evaluation.data.dataset import Part, arrays_of
from morphml.evaluation.data.splitting import Split
from morphml.nn.plan import InputSlot

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

    def suited(self, slots: Sequence[InputSlot]) -> TensorPart:
        """The same samples with each input in the shape and of the type that the network takes.

        Args:
            slots: the network's inputs.

        Raises:
            EvaluatorError: when sizes differ, or the names do; with both shapes.
        """
        if "" in self.x and len(slots) == 1:
            return TensorPart(x={"": _suited(self.x[""], slots[0])}, y=self.y)
        names = {slot.name for slot in slots}
        if names != set(self.x):
            raise EvaluatorError(
                f"the network takes the inputs {sorted(names)}, the data set has "
                f"{sorted(self.x) if '' not in self.x else 'one array without a name'}"
            )
        x = {slot.name: _suited(self.x[slot.name], slot) for slot in slots}
        return TensorPart(x=x, y=self.y)


def _suited(tensor: torch.Tensor, slot: InputSlot) -> torch.Tensor:
    have = tuple(tensor.shape[1:])
    if math.prod(have) != math.prod(slot.shape):
        raise EvaluatorError(
            f"the network's input {slot.name!r} has shape {slot.shape}, the data set has {have}"
        )
    return tensor.reshape(-1, *slot.shape).to(getattr(torch, slot.dtype))


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
