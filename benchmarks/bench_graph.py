"""Model graphs: canonical id and costs from cold, and the steps of a search on a 20-node graph.

Nothing is remembered between calls: each call computes from a graph without any stored form.
``us`` is the median of repeats in microseconds of this process's own processor time (the code is
one thread that waits for nothing); for random graphs also the 99th percentile.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from sys import argv
from time import process_time
from typing import Any

import numpy as np

from morphml import layers as L
from morphml.graph import OPERATIONS, ModelGraph, Node, canonical, costs, graph_id
from morphml.space import SearchSpace, choice, repeat

REPEATS = 41
CALLS = 20
RANDOM_GRAPHS = 400


def run() -> list[dict[str, object]]:
    """One row for each case."""
    rows: list[dict[str, object]] = []
    for size in (6, 20, 50):
        # The promise is about graphs of up to 20 nodes; larger ones are shown without one.
        what = "canonical id" if size <= 20 else "id"
        chain = chain_of(size)
        blocks = residual(size)
        for name, graph in (("chain", chain), ("residual blocks", blocks)):
            rows.append(row(f"{size}-node {name}: {what}", microseconds(graph_id, graph)))
            rows.append(row(f"{size}-node {name}: costs", microseconds(costs, canonical(graph))))
        rows.append(row(f"{size}-node chain: form, id and costs", microseconds(everything, chain)))
        rows.append(over_random_graphs(size, what))
    rows.append(row("two 6-cycles in 26 nodes: id by search", microseconds(graph_id, two_cycles())))
    return rows + space_rows()


def everything(graph: ModelGraph) -> None:
    """What each trial needs of its graph."""
    form = canonical(graph)
    graph_id(form)
    costs(form)


def row(case: str, us: float, **more: float) -> dict[str, object]:
    """A row of the table."""
    return {"case": case, "us": round(us, 1), **{k: round(v, 1) for k, v in more.items()}}


def microseconds(function: Callable[[Any], object], argument: object) -> float:
    """Median time of one call."""
    times = []
    for _ in range(REPEATS):
        began = process_time()
        for _ in range(CALLS):
            function(argument)
        times.append((process_time() - began) / CALLS)
    return median(times) * 1e6


def over_random_graphs(size: int, what: str) -> dict[str, object]:
    """Median and 99th percentile of the id over random graphs, a third of which have ties."""
    rng = np.random.default_rng(1)
    times = []
    for _ in range(RANDOM_GRAPHS):
        graph = random_graph(rng, size)
        began = process_time()
        graph_id(graph)
        times.append((process_time() - began) * 1e6)
    return row(f"{size}-node random graphs: {what}", median(times), p99=quantiles(times, n=100)[-1])


def space_rows() -> list[dict[str, object]]:
    """Sampling, mutation, and all that a trial asks of its architecture, in a space of 20 nodes."""
    block = (
        L.conv2d(filters=choice(16, 32, 64), kernel_size=choice(3, 5)),
        L.batch_norm(),
        choice(L.relu(), L.gelu()),
    )
    space = SearchSpace(
        input=(3, 32, 32),
        layers=[
            repeat(*block, times=5),
            L.flatten(),
            L.dense(units=choice(64, 128)),
            L.relu(),
            L.dense(10),
        ],
    )
    rng = np.random.default_rng(1)
    parent = space.sample(rng)
    nodes = len(parent.graph.nodes)

    def member(_: object) -> None:
        architecture = space.architecture(parent.vector)
        _ = (architecture.graph_id, architecture.params, architecture.flops)

    return [
        row(f"{nodes}-node space: sample", microseconds(space.sample, rng)),
        row(f"{nodes}-node space: mutate", microseconds(lambda r: space.mutate(parent, r), rng)),
        row(f"{nodes}-node space: graph, id and costs of a member", microseconds(member, None)),
    ]


def chain_of(size: int) -> ModelGraph:
    """Convolutions and activations in a row."""
    nodes = [OPERATIONS.node("input", (), {"name": "x", "shape": (3, 32, 32)})]
    while len(nodes) < size:
        last = len(nodes) - 1
        if last % 2:
            nodes.append(OPERATIONS.node("relu", (last,)))
        else:
            nodes.append(OPERATIONS.node("conv2d", (last,), {"filters": 16 + last}))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", size - 1),))


def residual(size: int) -> ModelGraph:
    """Blocks of two branches and a sum, cut to size."""
    nodes = [OPERATIONS.node("input", (), {"name": "x", "shape": (16, 32, 32)})]
    last = 0
    while len(nodes) + 4 <= size:
        kernels = ({"filters": 16, "kernel_size": kernel} for kernel in (3, 5))
        nodes += [OPERATIONS.node("conv2d", (last,), attrs) for attrs in kernels]
        nodes.append(OPERATIONS.node("add", (last, len(nodes) - 2, len(nodes) - 1)))
        nodes.append(OPERATIONS.node("relu", (len(nodes) - 1,)))
        last = len(nodes) - 1
    while len(nodes) < size:
        nodes.append(OPERATIONS.node("batch_norm", (len(nodes) - 1,)))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", size - 1),))


def random_graph(rng: np.random.Generator, size: int) -> ModelGraph:
    """Activations of three kinds on sums of earlier ones; a last sum of what nobody reads."""
    nodes = [OPERATIONS.node("input", (), {"name": "x", "shape": (16,)})]
    layers = [0]
    while len(nodes) < size - 1:
        read = [v for v in layers if rng.random() < 0.25] or [int(rng.choice(layers))]
        if len(read) > 1:
            nodes.append(Node(op="add", inputs=tuple(read)))
            read = [len(nodes) - 1]
        nodes.append(Node(op=str(rng.choice(["relu", "tanh", "gelu"])), inputs=tuple(read)))
        layers.append(len(nodes) - 1)
    unread = set(range(len(nodes))).difference(*(node.inputs for node in nodes))
    nodes.append(Node(op="add", inputs=tuple(sorted(unread))))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", len(nodes) - 1),))


def two_cycles() -> ModelGraph:
    """Sums of neighbours in two rings of three: refinement cannot tell it from a ring of six."""
    nodes = [OPERATIONS.node("input", (), {"name": "x", "shape": (16,)})]
    nodes += [Node(op="relu", inputs=(0,)) for _ in range(6)]
    tops = []
    for a, b in ((1, 2), (2, 3), (3, 1), (4, 5), (5, 6), (6, 4)):
        nodes.append(Node(op="add", inputs=(a, b)))
        nodes.append(Node(op="tanh", inputs=(len(nodes) - 1,)))
        nodes.append(Node(op="gelu", inputs=(len(nodes) - 1,)))
        tops.append(len(nodes) - 1)
    nodes.append(Node(op="add", inputs=tuple(tops)))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", len(nodes) - 1),))


def main() -> None:
    """Print a table; write JSON to the path given as the only argument."""
    rows = run()
    for entry in rows:
        more = f"  p99 {entry['p99']:>8}" if "p99" in entry else ""
        print(f"{entry['case']:<60}{entry['us']:>9} us{more}")
    if len(argv) > 1:
        Path(argv[1]).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
