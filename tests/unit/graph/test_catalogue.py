"""Look-ups in the catalogue, attributes, and users' operations."""

from __future__ import annotations

import pytest

from morphml.errors import SpaceError
from morphml.graph import (
    OPERATIONS,
    Attribute,
    Catalogue,
    Count,
    Kind,
    ModelGraph,
    costs,
    custom_operation,
    infer_node,
)

NAMES = """
input dense conv1d conv2d conv3d depthwise_conv2d separable_conv2d conv_transpose1d
conv_transpose2d conv_transpose3d mbconv squeeze_excite max_pool1d max_pool2d max_pool3d avg_pool1d
avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d global_avg_pool global_max_pool
pool_sequence batch_norm layer_norm group_norm rms_norm dropout relu gelu silu tanh sigmoid elu
leaky_relu softplus mish hardswish softmax flatten reshape to_sequence embedding
positional_embedding lstm gru attention transformer_block add concat multiply identity zero
upsample2d project narrow
"""


def test_catalogue_has_exactly_the_known_operations() -> None:
    assert sorted(OPERATIONS) == sorted(NAMES.split())


@pytest.mark.parametrize(
    ("given", "hint"), [("conv2", "conv2d"), ("Dense", "dense"), ("batchnorm", "batch_norm")]
)
def test_unknown_operation_is_refused_with_the_nearest_name(given: str, hint: str) -> None:
    with pytest.raises(SpaceError, match=f"no operation '{given}'; did you mean '{hint}'"):
        OPERATIONS[given]
    with pytest.raises(SpaceError, match=f"^body/0: there is no operation '{given}'"):
        OPERATIONS.node(given, (0,), path="body/0")


def test_operation_that_is_like_no_other_gets_no_hint() -> None:
    with pytest.raises(SpaceError, match=r"there is no operation 'xyzzy'$"):
        OPERATIONS["xyzzy"]


def test_unknown_attribute_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SpaceError, match="conv2d has no attribute 'kernel'; did you mean 'kernel_"):
        OPERATIONS.node("conv2d", (0,), {"filters": 3, "kernel": 5})


@pytest.mark.parametrize(
    ("op", "attrs", "message"),
    [
        ("conv2d", {}, "conv2d needs the attribute 'filters'"),
        ("conv2d", {"filters": 0}, "filters must be at least 1, got 0"),
        ("conv2d", {"filters": True}, "filters must be an integer, got True"),
        ("conv2d", {"filters": 1.0}, "filters must be an integer, got 1.0"),
        (
            "conv2d",
            {"filters": 1, "padding": "full"},
            r"known word \('same', 'valid'\), got 'full'",
        ),
        ("conv2d", {"filters": 1, "padding": -1}, "padding must be at least 0"),
        ("conv2d", {"filters": 1, "kernel_size": (3, 0)}, "kernel_size must be at least 1, got 0"),
        ("conv2d", {"filters": 1, "kernel_size": ()}, "kernel_size must be an integer or one"),
        ("conv2d", {"filters": 1, "bias": 1}, "bias must be True or False, got 1"),
        ("dropout", {"rate": 1.5}, "rate must be at most 1, got 1.5"),
        ("dropout", {"rate": float("nan")}, "rate must be a number, got nan"),
        ("pool_sequence", {"how": "sum"}, r"how must be text \('mean', 'max', 'last'\), got 'sum'"),
        ("dropout", {"rate": None}, "rate must be a number, got None"),
    ],
)
def test_wrong_attribute_is_refused_with_rule_and_value(
    op: str, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(SpaceError, match=message):
        OPERATIONS.node(op, (0,), attrs)


def test_node_is_complete_and_equal_settings_are_stored_equally() -> None:
    node = OPERATIONS.node("conv2d", (0,), {"filters": 8, "kernel_size": [3, 3]})
    assert dict(node.attrs) == {
        "filters": 8,
        "kernel_size": 3,
        "stride": 1,
        "padding": "same",
        "dilation": 1,
        "groups": 1,
        "bias": True,
    }
    assert [name for name, _ in node.attrs] == sorted(name for name, _ in node.attrs)
    assert type(dict(OPERATIONS.node("dropout", (0,), {"rate": 0}).attrs)["rate"]) is float
    assert OPERATIONS.node("max_pool2d", (0,), {"size": 3}) == OPERATIONS.node(
        "max_pool2d", (0,), {"size": 3, "stride": 3}
    )


def test_every_default_is_stored_as_given() -> None:
    for name in OPERATIONS:
        for attribute in OPERATIONS[name].attributes:
            if not attribute.required and attribute.default is not None:
                assert attribute.check(attribute.default) == attribute.default


def test_user_operation_is_found_in_an_extended_catalogue_only() -> None:
    twice = custom_operation(
        "lab.blocks:Twice",
        infer=lambda shapes, attrs: (2 * shapes[0][0],),
        count=lambda shapes, out, attrs: Count(out[0], 3 * out[0], out[0]),
        attributes=(Attribute(name="alpha", kind=Kind.ANY),),
    )
    wider = OPERATIONS.extended([twice, custom_operation("lab.blocks:Same")])
    graph = ModelGraph(
        nodes=(
            wider.node("input", (), {"name": "x", "shape": (5,)}),
            wider.node("custom:lab.blocks:Twice", (0,), {"alpha": (1, 2)}),
            wider.node("custom:lab.blocks:Same", (1,)),
        ),
        outputs=(("y", 2),),
    )
    counted = costs(graph, wider)
    assert counted.shapes == ((5,), (10,), (10,))
    assert (counted.params, counted.flops) == (10, 30)
    assert infer_node(graph.nodes[2], ((4, 4),), wider) == (4, 4)
    with pytest.raises(SpaceError, match="there is no operation 'custom:lab"):
        costs(graph)


def test_catalogue_refuses_two_operations_of_one_name() -> None:
    with pytest.raises(SpaceError, match="'relu' is declared twice"):
        Catalogue.of([OPERATIONS["relu"], OPERATIONS["relu"]])
