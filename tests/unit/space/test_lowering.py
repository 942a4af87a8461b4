"""What graph a member becomes: composed blocks, taps, shared modules, expressions, heads."""

from __future__ import annotations

import pytest

from morphml import layers as L
from morphml.errors import ShapeError
from morphml.graph import ModelGraph
from morphml.space import (
    Architecture,
    Input,
    SearchSpace,
    channels,
    choice,
    integer,
    join,
    nest,
    optional,
    parallel,
    repeat,
    residual,
    round_to,
    sequence,
    shared,
    tap,
)


def image(*layers: object, **more: object) -> SearchSpace:
    return SearchSpace(input=(4, 8, 8), layers=layers, **more)  # type: ignore[arg-type]


def only(space: SearchSpace) -> ModelGraph:
    """The graph of a space without decisions."""
    assert len(space.decisions) == 0 and int(space.size) == 1
    return space.default().graph


def lines(graph: ModelGraph) -> list[str]:
    """The graph as ``op(inputs)`` in order."""
    return [f"{node.op}{node.inputs}".replace(",)", ")") for node in graph.nodes]


def test_chain_becomes_nodes_in_order_with_paths_and_checked_attributes() -> None:
    graph = only(image(L.conv2d(8, (3, 3), stride=2), L.relu(), L.flatten(), L.output(10)))
    assert lines(graph) == ["input()", "conv2d(0)", "relu(1)", "flatten(2)", "dense(3)"]
    assert [node.path for node in graph.nodes[1:]] == ["conv2d", "relu", "flatten", "output"]
    attrs = dict(graph.nodes[1].attrs)
    assert attrs["kernel_size"] == 3 and attrs["padding"] == "same" and attrs["bias"] is True
    assert graph.outputs == (("output", 4),)


def test_repeat_and_optional_are_there_as_often_as_decided() -> None:
    space = image(repeat(L.relu(), optional(L.elu()), times=integer(0, 3)))
    member = space.member({"body/times": 2, "body/1/optional": True})
    assert lines(member.graph) == ["input()", "relu(0)", "relu(1)", "elu(2)"]
    assert member.graph.nodes[3].path == "body/1/optional/elu"
    assert lines(space.member({"body/times": 0}).graph) == ["input()"]


def test_tied_copies_are_equal_and_have_paths_of_their_own() -> None:
    space = image(repeat(L.conv2d(choice(4, 8)), times=integer(1, 3), tie=True))
    assert [d.path for d in space.decisions] == ["body/times", "body/conv2d/filters"]
    graph = space.member({"body/times": 3, "body/conv2d/filters": 8}).graph
    assert [dict(n.attrs)["filters"] for n in graph.nodes[1:]] == [8, 8, 8]
    assert [n.path for n in graph.nodes[1:]] == [f"body/{k}/conv2d" for k in range(3)]


def test_tied_decisions_do_not_tie_weights() -> None:
    width = choice(4, 8, name="width")
    space = SearchSpace(input=(4,), layers=[L.dense(width), L.dense(width)])
    assert len(space.decisions) == 1
    assert space.member({"width": 4}).params == 2 * (4 * 4 + 4)
    module = shared(L.dense(4), name="both")
    once = SearchSpace(input=(4,), layers=[module, module])
    assert once.default().params == 4 * 4 + 4


def test_same_object_without_a_name_is_never_tied() -> None:
    width = choice(4, 8)
    space = SearchSpace(input=(4,), layers=[L.dense(width), L.dense(width)])
    assert [d.path for d in space.decisions] == ["dense/units", "dense_2/units"]


def test_shared_block_gives_each_inner_layer_one_key() -> None:
    tower = shared(sequence(L.dense(4), L.relu(), L.dense(4)), name="tower")
    space = SearchSpace(
        inputs={"a": Input((3,)), "b": Input((3,))},
        layers=[parallel([tower, sequence(join("b", how="replace"), tower)])],
    )
    graph = only(space)
    keys = [n.shared for n in graph.nodes if n.op == "dense"]
    assert keys == ["tower/dense", "tower/dense_2"] * 2
    assert space.default().params == (3 * 4 + 4) + (4 * 4 + 4)


def test_parallel_merges_and_leaves_out_absent_branches() -> None:
    space = image(
        parallel(
            [L.conv2d(2, 1), optional(L.conv2d(3, 1)), optional(L.conv2d(4, 1))], merge="concat"
        )
    )
    both = space.member({"parallel/1/optional": True, "parallel/2/optional": True})
    assert lines(both.graph)[-1] == "concat(1, 2, 3)"
    assert both.shapes[-1] == (9, 8, 8)
    one = space.member({})
    assert lines(one.graph) == ["input()", "conv2d(0)"]
    none = image(parallel([optional(L.relu()), optional(L.elu())])).default()
    assert lines(none.graph) == ["input()"]


def test_match_projects_to_the_first_branch_and_the_smallest_image() -> None:
    space = image(parallel([L.conv2d(2, 1), L.conv2d(6, 3, 2), L.identity()], match="project"))
    member = space.default()
    projected = [n for n in member.graph.nodes if n.op == "project"]
    assert [dict(n.attrs)["shape"] for n in projected] == [(2, 4, 4)] * 3
    assert member.shapes[-1] == (2, 4, 4)
    odd = image(parallel([L.conv2d(2, 4, padding="valid"), L.identity()], match="project"))
    assert [n.op for n in odd.default().graph.nodes] == [
        "input", "conv2d", "identity", "adaptive_avg_pool2d", "project", "add",
    ]  # fmt: skip


def test_residual_adds_its_input() -> None:
    graph = only(image(residual(L.conv2d(channels()), L.relu())))
    assert lines(graph) == ["input()", "conv2d(0)", "relu(1)", "add(2, 0)"]
    strided = image(residual(L.conv2d(8, 3, 2), match="project")).default()
    assert strided.graph.nodes[2].op == "project" and strided.shapes[-1] == (8, 4, 4)


def test_join_reads_the_tap_of_its_own_copy_first() -> None:
    body = (tap("skip"), L.conv2d(4), join("skip", how="add"))
    graph = only(image(tap("skip"), L.relu(), repeat(*body, times=2), join("skip", how="add")))
    assert lines(graph) == [
        "input()", "relu(0)", "conv2d(1)", "add(2, 1)", "conv2d(3)", "add(4, 3)", "add(5, 0)",
    ]  # fmt: skip


def test_join_of_a_tap_in_an_absent_part_passes_the_trunk_on() -> None:
    space = image(optional(sequence(L.relu(), tap("late"))), L.elu(), join("late", how="add"))
    assert lines(space.member({}).graph) == ["input()", "elu(0)"]
    there = space.member({"optional": True})
    assert lines(there.graph) == ["input()", "relu(0)", "elu(1)", "add(2, 1)"]


@pytest.mark.parametrize(
    ("how", "last"), [("add", "add(2, 0)"), ("concat", "concat(2, 0)"), ("replace", "relu(0)")]
)
def test_join_joins_in_each_manner(how: str, last: str) -> None:
    graph = only(image(tap("early"), L.relu(), L.elu(), join("early", how=how), L.relu()))
    assert lines(graph)[-2 if how != "replace" else -1] == last


def test_inputs_are_taps_and_heads_stand_on_the_trunk() -> None:
    space = SearchSpace(
        inputs={"image": Input((3, 8, 8)), "tokens": Input((5,), dtype="int64")},
        layers=[
            L.global_avg_pool(),
            tap("picture"),
            join("tokens", how="replace"),
            L.embedding(10, 3),
            L.pool_sequence(),
            join("picture"),
        ],
        outputs={"class": L.output(10), "box": [L.relu(), L.output(4)]},
    )
    member = space.default()
    assert member.graph.input_names == ("image", "tokens")
    assert [name for name, _ in member.graph.outputs] == ["box", "class"]
    ends = {name: member.shapes[at] for name, at in member.graph.outputs}
    assert ends == {"class": (10,), "box": (4,)}
    assert lines(member.graph)[2:6] == [
        "global_avg_pool(0)", "embedding(1)", "pool_sequence(3)", "concat(4, 2)",
    ]  # fmt: skip


def test_concat_of_sequences_is_on_their_last_axis() -> None:
    space = SearchSpace(input=(6, 4), layers=[parallel([L.dense(3), L.dense(5)], merge="concat")])
    assert space.default().shapes[-1] == (6, 8)


def test_nest_is_a_u_net_whose_joins_read_their_level() -> None:
    space = image(
        nest(
            [L.conv2d(channels() * 2), tap("skip"), L.max_pool2d(2)],
            [
                L.conv_transpose2d(channels()),
                join("skip", how="add"),
                L.conv2d(channels() // 2),
            ],
            L.relu(),
            times=integer(1, 3),
        )
    )
    member = space.member({"nest/times": 2})
    assert lines(member.graph) == [
        "input()", "conv2d(0)", "max_pool2d(1)", "conv2d(2)", "max_pool2d(3)", "relu(4)",
        "conv_transpose2d(5)", "add(6, 3)", "conv2d(7)",
        "conv_transpose2d(8)", "add(9, 1)", "conv2d(10)",
    ]  # fmt: skip
    assert member.shapes[3] == (16, 4, 4) and member.shapes[-1] == (4, 8, 8)
    paths = [node.path for node in member.graph.nodes]
    assert paths[1] == "nest/0/down/conv2d" and paths[10] == "nest/0/up/join"


def test_expressions_are_computed_for_each_member() -> None:
    width = choice(0.5, 1, 2, name="width")
    depth = integer(1, 3, name="depth")
    space = SearchSpace(
        input=(4,),
        layers=[
            repeat(L.dense(round_to(width * 10, 8)), times=depth * 2 - 1),
            L.dense(depth // 2 + depth % 2),
        ],
        hyper={"total": depth * 100},
    )
    member = space.member({"width": 2, "depth": 2})
    sizes = [dict(n.attrs)["units"] for n in member.graph.nodes[1:]]
    assert sizes == [24, 24, 24, 1] and member.hyper == {"total": 200}
    assert [d.path for d in space.decisions] == ["depth", "width"]
    assert int(space.size) == 9


def test_inactive_value_is_its_default_and_inactive_block_is_absent() -> None:
    kind = choice("small", "large", name="kind")
    space = SearchSpace(
        input=(4,),
        layers=[
            L.dense(choice(8, 16, default=16, when=kind == "large")),
            optional(L.relu(), default=True, when=kind == "large"),
            choice(L.elu(), L.tanh(), when=kind == "large"),
        ],
    )
    small = space.member({"kind": "small"})
    assert lines(small.graph) == ["input()", "dense(0)"]
    assert dict(small.graph.nodes[1].attrs)["units"] == 16
    assert small.decisions == {"kind": "small"}
    assert lines(space.member({"kind": "large"}).graph)[2:] == ["relu(1)", "elu(2)"]
    assert int(space.size) == 1 + 2 * 2 * 2


def test_condition_on_an_inactive_decision_fails() -> None:
    first = choice("a", "b", name="first")
    second = choice(1, 2, name="second", when=first == "b")
    space = SearchSpace(
        decisions={"first": first, "second": second, "third": choice(5, 6, when=second != 2)}
    )
    assert space.member({"first": "a"}).hyper == {"first": "a"}
    assert space.member({"first": "b"}).hyper == {"first": "b", "second": 1, "third": 5}
    assert int(space.size) == 1 + 2 + 1


def test_name_in_two_branches_is_active_when_either_is() -> None:
    width = choice(4, 8, name="width")
    space = SearchSpace(
        input=(4,),
        layers=[
            optional(L.dense(width), name="one"),
            optional(L.dense(width), name="two"),
        ],
    )
    assert [d.path for d in space.decisions] == ["one", "width", "two"]
    assert space.decisions[1].condition == "(one == True) or (two == True)"
    assert "width" not in space.member({}).decisions
    assert space.member({"two": True, "width": 8}).graph.nodes[1].attrs[1] == ("units", 8)
    assert int(space.size) == 1 + 3 * 2


def test_nested_choices_are_active_inside_their_option() -> None:
    space = SearchSpace(
        input=(4,),
        layers=[L.dropout(choice(0.0, choice(0.25, 0.5)))],
        hyper={"noise": choice(None, integer(1, 3))},
    )
    assert [d.path for d in space.decisions] == [
        "dropout/rate", "dropout/rate/1", "hyper/noise", "hyper/noise/1",
    ]  # fmt: skip
    assert int(space.size) == 3 * 4
    member = space.architecture((1, 1, 1, 3))
    assert member.graph.nodes[1].attrs == (("rate", 0.5),) and member.hyper == {"noise": 3}


def test_custom_modules_keep_shape_and_count() -> None:
    space = SearchSpace(
        input=(4, 8),
        layers=[
            L.custom(_Mixer, shape=_widened, params=_weights, units=choice(2, 4), name="mix"),
            L.custom("some.package:Layer"),
        ],
    )
    assert [d.path for d in space.decisions] == ["mix/units"]
    assert set(space.custom) == {f"{__name__}:_Mixer", "some.package:Layer"}
    member = Architecture(space, (1,))
    assert member.graph.nodes[1].op == f"custom:{__name__}:_Mixer"
    assert member.shapes == ((4, 8), (4, 4), (4, 4))
    assert member.params == 8 * 4
    with pytest.raises(ShapeError, match="not a shape"):
        SearchSpace(input=(4,), layers=[L.custom(_Mixer, shape=str)])


class _Mixer:
    pass


def _widened(shape: tuple[int, ...], units: int) -> tuple[int, ...]:
    return (*shape[:-1], units)


def _weights(shape: tuple[int, ...], units: int) -> int:
    return shape[-1] * units
