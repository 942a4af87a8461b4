"""A zoo of small spaces, one for each thing the language can say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from morphml import layers as L
from morphml.space import (
    GraphSpace,
    Input,
    SearchSpace,
    cell,
    channels,
    choice,
    divisors,
    integer,
    join,
    nest,
    optional,
    parallel,
    ref,
    repeat,
    residual,
    round_to,
    sequence,
    shared,
    tap,
)

HEAD = (L.global_avg_pool(), L.output(3))


def plain() -> SearchSpace:
    return SearchSpace(
        input=(4,), layers=[L.dense(choice(8, 16, 32)), choice(L.relu(), L.tanh()), L.output(2)]
    )


def repeated() -> SearchSpace:
    body = (L.conv2d(choice(4, 8), 3), optional(L.max_pool2d(2)))
    return SearchSpace(input=(1, 16, 16), layers=[repeat(*body, times=integer(0, 3)), *HEAD])


def tied() -> SearchSpace:
    body = (L.conv2d(choice(4, 8), 3), choice(L.relu(), L.gelu()))
    return SearchSpace(input=(1, 8, 8), layers=[repeat(*body, times=choice(1, 3), tie=True), *HEAD])


def named() -> SearchSpace:
    width = choice(1, 2, name="width")
    return SearchSpace(
        input=(1, 8, 8),
        layers=[
            optional(L.conv2d(width * 4, 3), name="stem"),
            L.conv2d(round_to(width * 5, 4), 3),
            choice(L.relu(), sequence(L.conv2d(width, 1), L.gelu())),
            *HEAD,
        ],
        hyper={
            "width": width,
            "rate": choice(0.1, 0.2, when=width == 2),
            "batch": integer(1, width * 2),
        },
    )


def dependent() -> SearchSpace:
    width = choice(8, 12, 16, name="width")
    return SearchSpace(
        input=Input((6,), dtype="int64"),
        layers=[
            L.embedding(10, width),
            repeat(L.transformer_block(choice(*divisors(width))), times=integer(1, 2)),
            L.pool_sequence(),
            L.output(2),
        ],
    )


def branches() -> SearchSpace:
    return SearchSpace(
        input=(2, 8, 8),
        layers=[
            parallel(
                [
                    L.conv2d(choice(2, 4), 1),
                    optional(sequence(L.conv2d(4, 3, 2), L.relu())),
                    L.identity(),
                ],
                merge=choice("add", "concat"),
                match="project",
            ),
            residual(L.conv2d(channels(), 3), optional(L.relu(), default=True)),
            *HEAD,
        ],
    )


def taps() -> SearchSpace:
    return SearchSpace(
        inputs={"image": Input((3, 8, 8)), "row": Input((5,))},
        layers=[
            L.conv2d(choice(4, 8), 3),
            tap("early"),
            L.conv2d(8, 3),
            join("early", how=choice("add", "concat", "replace"), match="project"),
            L.global_avg_pool(),
            join("row"),
        ],
        outputs={"class": L.output(3), "box": [L.dense(choice(4, 8)), L.relu(), L.output(4)]},
    )


def u_net() -> SearchSpace:
    return SearchSpace(
        input=(1, 16, 16),
        layers=[
            L.conv2d(4, 3),
            nest(
                sequence(L.conv2d(channels() * 2, choice(1, 3)), tap("skip"), L.max_pool2d(2)),
                sequence(L.conv_transpose2d(channels(), 2, 2), join("skip"), L.conv2d(4, 3)),
                L.relu(),
                times=integer(1, 3),
            ),
        ],
    )


def sharing() -> SearchSpace:
    tower = shared(sequence(L.dense(choice(4, 8)), choice(L.relu(), L.tanh())), name="tower")
    return SearchSpace(
        inputs={"a": Input((4,)), "b": Input((4,))},
        layers=[parallel([tower, sequence(join("b", how="replace"), tower)]), L.output(1)],
    )


def edge_cells() -> SearchSpace:
    searched = cell(on="edges", nodes=2, ops=[L.zero(), L.identity(), L.conv2d(channels(), 3)],
                    merge="last", name="cell")  # fmt: skip
    return SearchSpace(input=(2, 8, 8), layers=[searched, L.max_pool2d(2), searched, *HEAD])


def limited_cell() -> SearchSpace:
    return SearchSpace(
        input=(2, 8, 8),
        layers=[
            cell(on="edges", nodes=2, ops=[L.identity(), L.zero(), L.conv2d(choice(2, 3), 3)],
                 max_edges=2, match="project"),
            *HEAD,
        ],
    )  # fmt: skip


def picked_cells() -> SearchSpace:
    ops = [L.max_pool2d(3, 1, 1), L.identity(), sequence(L.relu(), L.conv2d(channels(), 3))]
    keep = {"on": "edges", "nodes": 2, "ops": ops, "inputs": 2, "in_degree": 2, "merge": "concat"}
    return SearchSpace(
        input=(2, 8, 8),
        layers=[
            L.conv2d(4, 3),
            cell(**keep, channels=4, name="normal"),
            cell(**keep, channels=8, reduce=True, name="reduce"),
            cell(**keep, channels=8, name="normal"),
            *HEAD,
        ],
    )


def node_cells() -> SearchSpace:
    ops = [L.conv2d(channels(), 3), L.identity()]
    return SearchSpace(
        input=(2, 8, 8),
        layers=[
            repeat(cell(on="nodes", nodes=2, ops=ops, max_edges=4), times=integer(1, 2)),
            cell(on="nodes", nodes=3, ops=ops, in_degree=2, merge="concat"),
            *HEAD,
        ],
    )


def free() -> SearchSpace:
    return GraphSpace(
        input=(2, 8, 8),
        max_nodes=3,
        max_edges=5,
        ops=[L.conv2d(choice(2, 4), 3), L.max_pool2d(2)],
        head=HEAD,
    )


def escape() -> SearchSpace:
    kind = choice("sgd", "adam", name="kind")
    return SearchSpace(
        decisions={
            "kind": kind,
            "momentum": choice(0.0, 0.9, when=ref("kind") == "sgd"),
            "depth": integer(1, 64, log=True),
        },
    )


def constrained() -> SearchSpace:
    width = choice(4, 8, 16, name="width")
    return SearchSpace(
        input=(4,),
        layers=[repeat(L.dense(width), times=integer(1, 3, name="depth")), L.output(2)],
        constraints=["width * depth <= 24", "params <= 300", ref("params") != 70],
    )


#: Finite spaces by name; all are small enough to list.
ZOO: dict[str, Callable[[], SearchSpace]] = {
    maker.__name__: maker
    for maker in (
        plain, repeated, tied, named, dependent, branches, taps, u_net, sharing, edge_cells,
        limited_cell, node_cells, free, escape, constrained,
    )
}  # fmt: skip
#: Too many members to list, or with reals.
LARGE: dict[str, Callable[[], SearchSpace]] = {"picked_cells": picked_cells}


@pytest.fixture(scope="session")
def spaces() -> dict[str, SearchSpace]:
    """Every space of the zoo, made once."""
    return {name: make() for name, make in (ZOO | LARGE).items()}


@pytest.fixture(params=sorted(ZOO), scope="session")
def small(request: pytest.FixtureRequest, spaces: dict[str, SearchSpace]) -> SearchSpace:
    """One small finite space after the other."""
    return spaces[request.param]


@pytest.fixture(params=sorted(ZOO | LARGE), scope="session")
def space(request: pytest.FixtureRequest, spaces: dict[str, SearchSpace]) -> SearchSpace:
    """One space of the zoo after the other."""
    return spaces[request.param]
