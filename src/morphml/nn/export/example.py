"""Random inputs of the right shapes, for tracing and for demonstrations."""

from __future__ import annotations

import torch

from morphml.nn.expression import Module
from morphml.nn.plan import InputSlot, Plan


def example_inputs(plan: Plan, batch: int = 2, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """One random tensor (batch, *shape) for each input, in the order of ``forward``.

    Args:
        plan: of the network.
        batch: samples.
        seed: of the numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    return tuple(_tensor(plan, slot, batch, generator) for slot in plan.inputs)


def vocabulary(plan: Plan, node: int) -> int:
    """How many different integers the input at ``node`` may hold, by the embeddings that read it.

    2 where none does: an integer input that nobody looks up.
    """
    sizes = [
        step.lowered.make.args[0]
        for step in plan.steps
        if step.op == "embedding" and node in step.inputs and isinstance(step.lowered, Module)
    ]
    return min([size for size in sizes if isinstance(size, int)], default=2)


def _tensor(plan: Plan, slot: InputSlot, batch: int, generator: torch.Generator) -> torch.Tensor:
    shape = (batch, *slot.shape)
    dtype = getattr(torch, slot.dtype)
    if slot.dtype.startswith(("float", "bfloat")):
        return torch.randn(shape, generator=generator).to(dtype)
    return torch.randint(vocabulary(plan, slot.node), shape, generator=generator).to(dtype)
