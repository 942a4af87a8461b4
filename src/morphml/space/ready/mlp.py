"""Multilayer perceptrons for tables."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.space import layers as L
from morphml.space.compose import repeat
from morphml.space.domains import choice, integer, optional, real
from morphml.space.ready.checks import check_count, check_counts
from morphml.space.search_space import SearchSpace


def mlp(
    input: tuple[int, ...] = (20,),
    classes: int = 2,
    widths: Sequence[int] = (32, 64, 128, 256),
    depth: int = 4,
) -> SearchSpace:
    """Dense layers with normalisation, an activation and dropout, and a learning rate beside them.

    Args:
        input: shape of a sample; several axes are flattened first.
        classes: number of outputs.
        widths: units of a layer to choose from.
        depth: most hidden layers.

    Raises:
        SpaceError: for counts below 1.
    """
    check_count("classes", classes, most=1_000_000)
    check_count("depth", depth, most=1_000)
    check_counts("widths", widths, most=1_000_000)
    hidden = repeat(
        L.dense(choice(*widths)),
        optional(L.batch_norm()),
        choice(L.relu(), L.gelu(), L.silu()),
        optional(L.dropout(choice(0.1, 0.3, 0.5))),
        times=integer(1, depth),
    )
    flat = [L.flatten()] if len(input) > 1 else []
    return SearchSpace(
        input=input,
        layers=[*flat, hidden, L.output(classes)],
        hyper={"lr": real(1e-4, 1e-1, log=True)},
        name="mlp",
    )
