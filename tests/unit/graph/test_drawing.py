"""The drawing: well formed, complete, escaped, loads nothing, boxes apart from each other."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np

from morphml.graph import OPERATIONS, ModelGraph, Node, custom_operation, to_svg
from morphml.graph.layout import layered

SVG = "{http://www.w3.org/2000/svg}"
make = OPERATIONS.node


def forked(name: str = "image") -> ModelGraph:
    nodes = (
        make("input", (), {"name": name, "shape": (3, 32, 32)}),
        make("conv2d", (0,), {"filters": 16, "kernel_size": 5}),
        make("conv2d", (0,), {"filters": 16}, shared="stem"),
        make("add", (1, 2, 2)),
        make("max_pool2d", (3,)),
        make("global_avg_pool", (4,)),
        make("dense", (5,), {"units": 10}),
    )
    return ModelGraph(nodes=nodes, outputs=(("box", 5), ("class", 6)))


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_svg_shows_every_operation_with_attributes_shape_and_params() -> None:
    shown = texts(to_svg(forked(), title="trial 7"))
    for line in (
        "input image",
        "3 × 32 × 32 float32",
        "conv2d",
        "filters=16, kernel_size=5",
        "16 × 32 × 32 · 1,216 params",
        "conv2d (shared stem)",
        "add",
        "max_pool2d",
        "10 · 170 params",
        "output box",
        "output class",
    ):
        assert line in shown
    assert "size=2" not in " ".join(shown)


def test_svg_has_one_box_for_each_node_and_output_and_one_path_for_each_edge() -> None:
    root = ElementTree.fromstring(to_svg(forked()))
    boxes = [r for r in root.iter(f"{SVG}rect") if r.get("rx")]
    edges = [p for p in root.iter(f"{SVG}path") if p.get("class") == "edge"]
    assert (len(boxes), len(edges)) == (7 + 2, 8 + 2)


def test_svg_escapes_every_name() -> None:
    evil = '</text><script>alert("1")</script>\x00&'
    twice = custom_operation(evil)
    nodes = (*forked(evil).nodes[:1], Node(op=twice.name, inputs=(0,), shared=evil))
    graph = ModelGraph(nodes=nodes, outputs=((evil, 1),))
    svg = to_svg(graph, OPERATIONS.extended([twice]), title=evil)
    assert "<script" not in svg
    assert "\x00" not in svg
    assert sum(evil.replace("\x00", "�") in text for text in texts(svg)) == 3


def test_svg_loads_nothing_from_elsewhere() -> None:
    svg = to_svg(forked()).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|href|@import|url\((?!#tip\))", svg)


def test_svg_of_the_same_graph_is_the_same_text() -> None:
    assert to_svg(forked()) == to_svg(forked())


def test_layout_keeps_boxes_apart_and_edges_pointing_down() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        inputs: list[list[int]] = [[]]
        for vertex in range(1, int(rng.integers(2, 30))):
            count = int(rng.integers(0, 4))
            inputs.append([int(v) for v in rng.integers(0, vertex, count)])
        widths = [float(w) for w in rng.integers(20, 200, len(inputs))]
        layout = layered(inputs, widths)
        for one, other in combinations(range(len(inputs)), 2):
            if layout.layer[one] == layout.layer[other]:
                apart = abs(layout.x[one] - layout.x[other])
                assert apart >= (widths[one] + widths[other]) / 2 + 1
        for vertex, sources in enumerate(inputs):
            assert all(layout.layer[source] < layout.layer[vertex] for source in sources)
            assert widths[vertex] / 2 - 1e-6 <= layout.x[vertex]
            assert layout.x[vertex] <= layout.width - widths[vertex] / 2 + 1e-6


def test_layout_of_two_crossing_pairs_uncrosses_them() -> None:
    layout = layered([[], [], [1], [0]], [40.0] * 4)
    assert (layout.x[0] < layout.x[1]) == (layout.x[3] < layout.x[2])
