"""NAS-Bench-201's 15,625 cells fall into 5,425 networks under our rule of identity."""

from __future__ import annotations

from itertools import product

from morphml.graph import OPERATIONS, ModelGraph, Node, graph_id

CHOICES = ("zero", "identity", "conv1x1", "conv3x3", "avg_pool")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))

INPUT = OPERATIONS.node("input", (), {"name": "x", "shape": (16, 8, 8)})
TEMPLATES = {
    "zero": OPERATIONS.node("zero"),
    "identity": OPERATIONS.node("identity"),
    "conv1x1": OPERATIONS.node("conv2d", (), {"filters": 16, "kernel_size": 1}),
    "conv3x3": OPERATIONS.node("conv2d", (), {"filters": 16, "kernel_size": 3}),
    "avg_pool": OPERATIONS.node("avg_pool2d", (), {"size": 3, "stride": 1, "padding": "same"}),
}


def cell(operations: tuple[str, ...]) -> ModelGraph:
    """The cell as the paper draws it: an operation on each edge, each node the sum of its edges."""
    nodes = [INPUT]
    sums = [0]
    for target in (1, 2, 3):
        arriving = []
        for (source, end), name in zip(EDGES, operations, strict=True):
            if end == target:
                template = TEMPLATES[name]
                nodes.append(Node(op=template.op, attrs=template.attrs, inputs=(sums[source],)))
                arriving.append(len(nodes) - 1)
        nodes.append(Node(op="add", inputs=tuple(arriving)))
        sums.append(len(nodes) - 1)
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", sums[3]),))


def test_all_cells_of_nasbench201_give_5425_ids() -> None:
    ids = {graph_id(cell(operations)) for operations in product(CHOICES, repeat=6)}
    assert len(ids) == 5425


def test_cells_whose_output_is_cut_off_are_one_class() -> None:
    cut = [c for c in product(CHOICES, repeat=6) if c[3] == c[4] == c[5] == "zero"]
    assert len(cut) == 125
    assert len({graph_id(cell(operations)) for operations in cut}) == 1
