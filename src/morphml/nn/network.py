"""The torch module that runs a plan."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping

import torch
from torch import nn

from morphml.errors import SpaceError
from morphml.nn.expression import Function, Infix, Module
from morphml.nn.names import Registered, resolve, resolver
from morphml.nn.plan import Plan, Step

_INFIX: Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "+": operator.add,
    "*": operator.mul,
}


class Network(nn.Module):
    """A model graph as a module; its children are named by operation and count (``conv2d_1``).

    Several inputs are given in the order of their sorted names, as keyword arguments, or as one
    mapping; several outputs come back as a dictionary by name.
    """

    def __init__(self, plan: Plan, registered: Registered | None = None) -> None:
        super().__init__()
        self.plan = plan
        find = resolver(registered or {})
        for name, make in plan.modules().items():
            self.add_module(name, _module(make.make(find), make.callee))

    def forward(
        self, *inputs: torch.Tensor | Mapping[str, torch.Tensor], **named: torch.Tensor
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """What the network says of a batch.

        Args:
            inputs: one tensor (batch, *shape) per input, or one mapping of all of them.
            named: inputs by name instead.

        Returns:
            The output, or a dictionary where the network has several.
        """
        tensors = self._by_node(inputs, named)
        for step in self.plan.steps:
            tensors[step.node] = self._run(step, [tensors[i] for i in step.inputs])
        if len(self.plan.outputs) == 1:
            return tensors[self.plan.outputs[0][1]]
        return {name: tensors[node] for name, node in self.plan.outputs}

    def _run(self, step: Step, arriving: list[torch.Tensor]) -> torch.Tensor:
        match step.lowered:
            case Module():
                result = self.get_submodule(step.module)(*arriving)
            case Function(call):
                result = call.make(resolve, tuple(arriving))
            case Infix(symbol):
                result = functools.reduce(_INFIX[symbol], arriving)
        assert isinstance(result, torch.Tensor), f"{step.op} returned no tensor"
        return result

    def _by_node(
        self,
        inputs: tuple[torch.Tensor | Mapping[str, torch.Tensor], ...],
        named: Mapping[str, torch.Tensor],
    ) -> dict[int, torch.Tensor]:
        slots = self.plan.inputs
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            named, inputs = {**inputs[0], **named}, ()
        given = {slot.name: tensor for slot, tensor in zip(slots, inputs, strict=False)} | dict(
            named
        )
        if len(inputs) + len(named) != len(slots) or set(given) != {slot.name for slot in slots}:
            wanted = ", ".join(f"{slot.name} {slot.shape}" for slot in slots)
            got = ", ".join(named) if named else f"{len(inputs)} tensors"
            raise TypeError(f"the network takes the inputs {wanted}; got {got}")
        return {slot.node: _tensor(given[slot.name]) for slot in slots}


def _tensor(value: object) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"an input must be a tensor, not {type(value).__name__}")
    return value


def _module(made: object, callee: str) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise SpaceError(f"{callee} must give a torch.nn.Module, got {made!r:.80}")
    return made
