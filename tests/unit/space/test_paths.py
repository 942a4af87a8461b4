"""Paths freeze with the first stored experiment: these lists may never change."""

from __future__ import annotations

from morphml import layers as L
from morphml.space import (
    Input,
    SearchSpace,
    cell,
    choice,
    integer,
    join,
    nest,
    optional,
    parallel,
    repeat,
    residual,
    sequence,
    shared,
)


def paths(space: SearchSpace) -> list[str]:
    return [decision.path for decision in space.decisions]


def test_repeat_numbers_its_copies_and_siblings_are_numbered_from_the_second() -> None:
    space = SearchSpace(
        input=(1, 16, 16),
        layers=[
            repeat(
                L.conv2d(choice(4, 8), choice(3, 5)),
                L.conv2d(choice(4, 8)),
                choice(L.relu(), L.elu()),
                optional(L.max_pool2d(choice(2, 3))),
                times=integer(1, 2),
            ),
            repeat(L.conv2d(choice(4, 8), name="late"), times=choice(1, 2), tie=True, name="end"),
            L.global_avg_pool(),
            L.output(2),
        ],
        hyper={"lr": choice(0.1, 0.2)},
    )
    assert paths(space) == [
        "body/times",
        "body/0/conv2d/filters",
        "body/0/conv2d/kernel_size",
        "body/0/conv2d_2/filters",
        "body/0/choice",
        "body/0/optional",
        "body/0/optional/max_pool2d/size",
        "body/1/conv2d/filters",
        "body/1/conv2d/kernel_size",
        "body/1/conv2d_2/filters",
        "body/1/choice",
        "body/1/optional",
        "body/1/optional/max_pool2d/size",
        "end/times",
        "end/late/filters",
        "hyper/lr",
    ]
    conditions = {d.path: d.condition for d in space.decisions}
    assert conditions["body/0/conv2d/filters"] == ""
    assert conditions["body/1/choice"] == "body/times > 1"
    assert conditions["body/1/optional/max_pool2d/size"] == "body/1/optional == True"


def test_composed_blocks_name_their_parts() -> None:
    space = SearchSpace(
        inputs={"image": Input((2, 8, 8)), "row": Input((3,))},
        layers=[
            parallel(
                [
                    L.conv2d(choice(2, 4)),
                    sequence(L.conv2d(2), L.conv2d(choice(2, 4))),
                    optional(L.conv2d(choice(2, 4))),
                ],
                merge=choice("add", "concat"),
                match="project",
            ),
            residual(L.conv2d(choice(2, 4)), match="project"),
            choice(
                sequence(L.conv2d(choice(2, 4)), name="wide"),
                L.conv2d(choice(2, 4)),
                L.conv2d(choice(6, 8), 1),
            ),
            nest(L.dropout(choice(0.1, 0.2)), [L.relu(), L.dropout(choice(0.1, 0.2))],
                 L.dropout(choice(0.1, 0.2)), times=2),
            L.global_avg_pool(),
            join("row", how=choice("concat", "replace")),
        ],
        outputs={"class": L.dense(choice(2, 3)), "box": [L.dense(choice(2, 3)), L.output(4)]},
    )  # fmt: skip
    assert paths(space) == [
        "parallel/merge",
        "parallel/0/conv2d/filters",
        "parallel/1/conv2d_2/filters",
        "parallel/2/optional",
        "parallel/2/optional/conv2d/filters",
        "residual/conv2d/filters",
        "choice",
        "choice/wide/conv2d/filters",
        "choice/conv2d/filters",
        "choice/conv2d_2/filters",
        "nest/0/down/dropout/rate",
        "nest/1/down/dropout/rate",
        "nest/inner/dropout/rate",
        "nest/1/up/dropout/rate",
        "nest/0/up/dropout/rate",
        "join/how",
        "outputs/class/dense/units",
        "outputs/box/dense/units",
    ]


def test_names_begin_the_path_anew() -> None:
    width = choice(2, 4, name="width")
    ops = [L.conv2d(choice(2, 4), 3), L.identity()]
    space = SearchSpace(
        input=(2, 8, 8),
        layers=[
            repeat(L.conv2d(width), times=2),
            shared(L.conv2d(choice(2, 4)), name="tower"),
            cell(on="edges", nodes=2, ops=ops, match="project", name="normal"),
            cell(on="edges", nodes=2, ops=ops, match="project", name="normal"),
            cell(on="nodes", nodes=1, ops=ops, match="project"),
            cell(on="nodes", nodes=2, ops=ops, in_degree=1, match="project"),
            L.global_avg_pool(),
            L.output(2),
        ],
    )
    assert paths(space) == [
        "width",
        "tower/conv2d/filters",
        "normal/edge_0_1",
        "normal/edge_0_1/conv2d/filters",
        "normal/edge_0_2",
        "normal/edge_0_2/conv2d/filters",
        "normal/edge_1_2",
        "normal/edge_1_2/conv2d/filters",
        "cell/node_1/op",
        "cell/node_1/op/conv2d/filters",
        "cell/edge_0_1",
        "cell/edge_0_output",
        "cell/edge_1_output",
        "cell_2/node_2/inputs",
        "cell_2/node_1/op",
        "cell_2/node_1/op/conv2d/filters",
        "cell_2/node_2/op",
        "cell_2/node_2/op/conv2d/filters",
    ]


def test_escape_hatch_has_the_names_as_paths() -> None:
    space = SearchSpace(decisions={"width": choice(1, 2), "depth": integer(1, 3)})
    assert paths(space) == ["width", "depth"]
    assert space.default().hyper == {"width": 1, "depth": 1}
