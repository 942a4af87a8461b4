"""The language reaches what the ready-made spaces do not show: several inputs and outputs."""

from __future__ import annotations

import numpy as np

from morphml import layers as L
from morphml.space import (
    Input,
    SearchSpace,
    choice,
    integer,
    join,
    optional,
    parallel,
    repeat,
    residual,
    sequence,
    tap,
)
from morphml.space.text import parse_space


def detector() -> SearchSpace:
    """An image and a row of numbers in, a class and a box out."""
    width = choice(8, 16, name="width")
    return SearchSpace(
        inputs={"image": Input((3, 16, 16)), "row": Input((5,))},
        layers=[
            repeat(
                residual(
                    L.conv2d(width, choice(3, 5)),
                    L.batch_norm(),
                    choice(L.relu(), L.gelu()),
                    match="project",
                ),
                optional(L.max_pool2d(2)),
                times=integer(1, 3),
            ),
            parallel([L.global_avg_pool(), L.global_max_pool()], merge="concat"),
            tap("features"),
            join("row", how="replace"),
            L.dense(choice(4, 8)),
            L.relu(),
            join("features"),
        ],
        outputs={
            "class": [optional(L.dense(width * 2)), L.output(10)],
            "box": sequence(L.dense(choice(8, 16)), L.relu(), L.output(4)),
        },
        name="detector",
    )


def test_two_inputs_and_two_outputs_keep_their_names_and_shapes() -> None:
    space = detector()
    rng = np.random.default_rng(0)
    for _ in range(50):
        member = space.sample(rng)
        shapes = {name: member.shapes[position] for name, position in member.graph.outputs}
        assert shapes == {"box": (4,), "class": (10,)}
        inputs = [dict(node.attrs) for node in member.canonical.nodes if node.op == "input"]
        assert {node["name"]: node["shape"] for node in inputs} == {
            "image": (3, 16, 16),
            "row": (5,),
        }
        assert space.decode(space.encode(member)).graph_id == member.graph_id


def test_two_inputs_and_two_outputs_are_written_and_read() -> None:
    space = detector()
    assert parse_space(repr(space)) == space
    assert [d.path for d in parse_space(repr(space)).decisions] == [d.path for d in space.decisions]


def test_one_width_is_read_by_the_trunk_and_by_a_head() -> None:
    space = detector()
    default = dict(space.default().decisions)
    [optional_path] = [
        path for path in default if path.startswith("outputs/class") and path.endswith("optional")
    ]
    for width in (8, 16):
        member = space.member({"width": width, optional_path: True})
        nodes = {node.path: dict(node.attrs) for node in member.graph.nodes}
        assert {a["filters"] for a in nodes.values() if "filters" in a and "kernel_size" in a} == {
            width
        }
        assert 2 * width in {a["units"] for a in nodes.values() if "units" in a}


def test_user_s_module_stands_in_a_text() -> None:
    space = parse_space(
        "SearchSpace(input=(4,), layers=[L.custom('m:Gate', rate=choice(1, 2)), L.output(2)])"
    )
    assert [d.options for d in space.decisions] == [(1, 2)]
    assert "custom(" in repr(space)
    assert parse_space(repr(space)) == space
