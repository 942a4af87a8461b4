"""Every ready-made space, and the two-headed one, as torch modules with the shapes foretold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from morphml import spaces
from morphml.space import Architecture, SearchSpace

SMALL: dict[str, Callable[[], SearchSpace]] = {
    "cnn": lambda: spaces.cnn((1, 8, 8), classes=3),
    "darts": lambda: spaces.darts((3, 16, 16), classes=3, cells=3, width=4),
    "mlp": lambda: spaces.mlp((4,), classes=3),
    "mobilenet": lambda: spaces.mobilenet((3, 32, 32), classes=3, depth=2),
    "nasbench101": lambda: spaces.nasbench101((3, 16, 16), 3, cells=1, stacks=2, width=8),
    "nasbench201": lambda: spaces.nasbench201((3, 16, 16), 3, cells=1, widths=(4, 8)),
    "transformer": lambda: spaces.transformer(50, length=7, classes=3, depth=2),
    "unet": lambda: spaces.unet((3, 16, 16), classes=3, widths=(4, 8), depth=3),
}


def batch(member: Architecture) -> list[torch.Tensor]:
    """Two samples for each input."""
    made = []
    for node in member.canonical.nodes:
        if node.op == "input":
            attrs = dict(node.attrs)
            shape = (2, *attrs["shape"])
            integral = attrs["dtype"] == "int64"
            made.append(torch.randint(0, 50, shape) if integral else torch.randn(shape))
    return made


@pytest.mark.parametrize("name", SMALL)
def test_members_are_built_with_the_shapes_and_parameters_foretold(name: str) -> None:
    space = SMALL[name]()
    rng = np.random.default_rng(7)
    for _ in range(3):
        member = space.sample(rng)
        model = member.build()
        assert sum(p.numel() for p in model.parameters()) == member.params
        ((_, position),) = member.graph.outputs
        with torch.no_grad():
            output = model.eval()(*batch(member))
        assert tuple(output.shape) == (2, *member.shapes[position])
        assert bool(torch.isfinite(output).all())
