"""Shapes, parameters, FLOPs and activation memory of every operation, and refusals by place.

The figures of weighted layers were compared with the parameters and output shapes of PyTorch's own
modules and, for products, with its FLOP counter; they are written out here.
"""

from __future__ import annotations

import pytest

from morphml.errors import ShapeError, SpaceError
from morphml.graph import OPERATIONS, Costs, ModelGraph, Node, Shape, costs, infer_shapes

make = OPERATIONS.node


def one(op: str, attrs: dict[str, object], *shapes: Shape) -> Costs:
    """Costs of a single operation on inputs of these shapes."""
    nodes = [make("input", (), {"name": f"x{i}", "shape": s}) for i, s in enumerate(shapes)]
    nodes.append(make(op, tuple(range(len(shapes))), attrs, path="body/0"))
    return costs(ModelGraph(nodes=tuple(nodes), outputs=(("y", len(shapes)),)))


CASES: list[tuple[str, dict[str, object], Shape, Shape, int, int]] = [
    # operation, attributes, input, output, params, flops
    ("dense", {"units": 5}, (7, 12), (7, 5), 65, 840),
    ("dense", {"units": 5, "bias": False}, (12,), (5,), 60, 120),
    ("conv1d", {"filters": 8, "kernel_size": 5, "stride": 2}, (6, 20), (8, 10), 248, 4800),
    (
        "conv2d",
        {"filters": 8, "stride": 2, "dilation": 2, "groups": 2},
        (6, 21, 20),
        (8, 11, 10),
        224,
        47520,
    ),
    (
        "conv2d",
        {"filters": 8, "kernel_size": (3, 5), "padding": "valid", "bias": False},
        (6, 21, 20),
        (8, 19, 16),
        720,
        437760,
    ),
    ("conv2d", {"filters": 2, "kernel_size": 4}, (1, 7, 7), (2, 7, 7), 34, 3136),
    ("conv3d", {"filters": 4, "padding": 1}, (2, 9, 8, 7), (4, 9, 8, 7), 220, 217728),
    ("depthwise_conv2d", {"multiplier": 2, "stride": 2}, (6, 9, 9), (12, 5, 5), 120, 5400),
    ("separable_conv2d", {"filters": 5, "kernel_size": 5}, (6, 9, 9), (5, 9, 9), 185, 29160),
    ("conv_transpose1d", {"filters": 5}, (6, 9), (5, 18), 65, 1080),
    (
        "conv_transpose2d",
        {"filters": 5, "kernel_size": 3, "padding": 1},
        (6, 9, 7),
        (5, 17, 13),
        275,
        34020,
    ),
    ("conv_transpose3d", {"filters": 2}, (3, 2, 2, 2), (2, 4, 4, 4), 50, 768),
    ("mbconv", {"filters": 24, "stride": 2}, (16, 14, 14), (24, 7, 7), 6004, 996532),
    (
        "mbconv",
        {"filters": 24, "stride": 2, "expansion": 1, "se_ratio": 0.0},
        (16, 14, 14),
        (24, 7, 7),
        608,
        56448,
    ),
    ("squeeze_excite", {}, (16, 4, 4), (16, 4, 4), 148, 788),
    ("max_pool1d", {}, (6, 9), (6, 4), 0, 48),
    ("max_pool2d", {"size": 3, "stride": 2, "padding": 1}, (6, 9, 7), (6, 5, 4), 0, 1080),
    ("max_pool2d", {"size": 3, "stride": 2, "padding": "same"}, (6, 9, 8), (6, 5, 4), 0, 1080),
    ("avg_pool3d", {}, (6, 9, 7, 8), (6, 4, 3, 4), 0, 2304),
    ("adaptive_avg_pool2d", {"size": (3, 2)}, (6, 9, 7), (6, 3, 2), 0, 378),
    ("adaptive_max_pool1d", {}, (6, 9), (6, 1), 0, 54),
    ("global_avg_pool", {}, (6, 9, 7), (6,), 0, 378),
    ("global_max_pool", {}, (6, 9), (6,), 0, 54),
    ("pool_sequence", {"how": "last"}, (9, 7), (7,), 0, 63),
    ("batch_norm", {}, (6, 9, 7), (6, 9, 7), 12, 756),
    ("batch_norm", {}, (6,), (6,), 12, 12),
    ("layer_norm", {}, (9, 7), (9, 7), 14, 315),
    ("layer_norm", {}, (6, 9, 7), (6, 9, 7), 12, 1890),
    ("rms_norm", {}, (9, 7), (9, 7), 7, 252),
    ("group_norm", {}, (16, 7, 7), (16, 7, 7), 32, 3920),
    ("relu", {}, (3, 4), (3, 4), 0, 12),
    ("softmax", {}, (4,), (4,), 0, 20),
    ("dropout", {}, (4,), (4,), 0, 0),
    ("flatten", {}, (3, 4, 5), (60,), 0, 0),
    ("reshape", {"shape": (-1, 6)}, (3, 4, 5), (10, 6), 0, 0),
    ("to_sequence", {}, (3, 4, 5), (20, 3), 0, 0),
    ("narrow", {"channels": 2}, (3, 4, 5), (2, 4, 5), 0, 0),
    ("upsample2d", {"scale": (2, 3)}, (3, 4, 5), (3, 8, 15), 0, 0),
    ("embedding", {"vocabulary": 100, "units": 8}, (7,), (7, 8), 800, 0),
    ("positional_embedding", {}, (7, 8), (7, 8), 56, 56),
    ("lstm", {"units": 5, "layers": 3}, (7, 12), (7, 5), 860, 11305),
    (
        "lstm",
        {"units": 5, "layers": 3, "bidirectional": True, "sequences": False},
        (7, 12),
        (10,),
        2120,
        28210,
    ),
    ("gru", {"units": 5, "layers": 2}, (7, 12), (7, 5), 465, 6230),
    ("attention", {"heads": 3}, (7, 12), (7, 12), 624, 11151),
    ("attention", {"heads": 3, "bias": False}, (7, 12), (7, 12), 576, 11151),
    ("transformer_block", {"heads": 3}, (7, 12), (7, 12), 1884, 28623),
    ("project", {"filters": 8}, (4, 6, 6), (8, 6, 6), 40, 2304),
    ("project", {"shape": (8, 3, 3)}, (4, 6, 5), (8, 3, 3), 40, 576),
    ("project", {"shape": (7, 5)}, (7, 12), (7, 5), 65, 840),
    ("project", {"shape": (5,)}, (12,), (5,), 65, 120),
]


@pytest.mark.parametrize(("op", "attrs", "shape", "out", "params", "flops"), CASES)
def test_operation_has_shape_params_and_flops(
    op: str, attrs: dict[str, object], shape: Shape, out: Shape, params: int, flops: int
) -> None:
    counted = one(op, attrs, shape)
    assert (counted.shapes[-1], counted.params, counted.flops) == (out, params, flops)


ALIKE = {
    "relu": [
        "gelu",
        "silu",
        "tanh",
        "sigmoid",
        "elu",
        "leaky_relu",
        "softplus",
        "mish",
        "hardswish",
    ],
    "max_pool1d": ["avg_pool1d"],
    "max_pool2d": ["avg_pool2d"],
    "avg_pool3d": ["max_pool3d"],
    "adaptive_avg_pool2d": ["adaptive_max_pool2d"],
    "adaptive_max_pool1d": ["adaptive_avg_pool1d"],
}


def test_operations_that_work_alike_cost_alike() -> None:
    for op, attrs, shape, *_ in CASES:
        for other in ALIKE.get(op, ()):
            assert one(op, attrs, shape) == one(other, attrs, shape)


def test_cases_cover_every_operation_of_one_input() -> None:
    single = {name for name in OPERATIONS if OPERATIONS[name].arity == (1, 1)}
    covered = {case[0] for case in CASES}.union(*ALIKE.values())
    assert single - covered == {"identity", "adaptive_avg_pool3d", "adaptive_max_pool3d"}
    for name in ("adaptive_avg_pool3d", "adaptive_max_pool3d"):
        assert one(name, {"size": 2}, (5, 4, 6, 8)).shapes[-1] == (5, 2, 2, 2)


def test_params_and_flops_of_the_operation_itself_agree_with_costs() -> None:
    for op, attrs, shape, _, params, flops in CASES:
        node = make(op, (0,), attrs)
        operation = OPERATIONS[op]
        assert operation.params((shape,), dict(node.attrs)) == params
        assert operation.flops((shape,), dict(node.attrs)) == flops


def test_merges_have_shapes_and_flops() -> None:
    assert one("add", {}, (4, 5), (4, 5), (4, 5)).flops == 40
    assert one("multiply", {}, (4, 1, 1), (4, 3, 3)).shapes[-1] == (4, 3, 3)
    assert one("concat", {}, (4, 3, 3), (2, 3, 3)).shapes[-1] == (6, 3, 3)
    assert one("concat", {"axis": -1}, (7, 3), (7, 5)).shapes[-1] == (7, 8)
    assert one("concat", {}, (4, 3, 3), (2, 3, 3)).flops == 0


def test_lenet_has_its_known_parameters_and_macs() -> None:
    nodes = [make("input", (), {"name": "x", "shape": (1, 32, 32)})]
    for op, attrs in (
        ("conv2d", {"filters": 6, "kernel_size": 5, "padding": "valid"}),
        ("tanh", {}),
        ("avg_pool2d", {}),
        ("conv2d", {"filters": 16, "kernel_size": 5, "padding": "valid"}),
        ("tanh", {}),
        ("avg_pool2d", {}),
        ("flatten", {}),
        ("dense", {"units": 120}),
        ("tanh", {}),
        ("dense", {"units": 84}),
        ("tanh", {}),
        ("dense", {"units": 10}),
    ):
        nodes.append(make(op, (len(nodes) - 1,), attrs))
    counted = costs(ModelGraph(nodes=tuple(nodes), outputs=(("y", 12),)))
    assert counted.params == 61_706
    products = 2 * (6 * 784 * 25 + 16 * 100 * 150 + 400 * 120 + 120 * 84 + 84 * 10)
    elementwise = 4704 + 4 * 1176 + 1600 + 4 * 400 + 120 + 84
    assert counted.flops == products + elementwise
    written = 1024 + 2 * 4704 + 1176 + 2 * 1600 + 400 + 2 * 120 + 2 * 84 + 10
    assert counted.activation_bytes == 4 * written


def test_costs_are_those_of_the_canonical_form() -> None:
    image = make("input", (), {"name": "x", "shape": (4, 8, 8)})
    wide = make("conv2d", (0,), {"filters": 4096})
    graph = ModelGraph(
        nodes=(image, wide, make("identity", (0,)), make("relu", (2,))), outputs=(("y", 3),)
    )
    counted = costs(graph)
    assert (counted.params, counted.flops) == (0, 256)
    assert len(counted.shapes) == 2


def two_dense(first: str | None, second: str | None) -> ModelGraph:
    return ModelGraph(
        nodes=(
            make("input", (), {"name": "x", "shape": (6,)}),
            make("dense", (0,), {"units": 6}, shared=first),
            make("dense", (1,), {"units": 6}, shared=second, path="head"),
        ),
        outputs=(("y", 2),),
    )


def test_shared_module_counts_its_weights_once_and_its_work_twice() -> None:
    alone, together = costs(two_dense(None, None)), costs(two_dense("m", "m"))
    assert (alone.params, together.params) == (84, 42)
    assert alone.flops == together.flops == 144


def test_shared_module_on_two_widths_is_refused_with_both_shapes() -> None:
    graph = ModelGraph(
        nodes=(
            make("input", (), {"name": "x", "shape": (6,)}),
            make("dense", (0,), {"units": 4}, shared="m"),
            make("dense", (1,), {"units": 4}, shared="m", path="head"),
        ),
        outputs=(("y", 2),),
    )
    with pytest.raises(
        ShapeError, match=r"^head: the shared dense is used on \(6,\) and on \(4,\)"
    ):
        costs(graph)


def test_one_shared_key_on_two_operations_is_refused() -> None:
    graph = ModelGraph(
        nodes=(
            make("input", (), {"name": "x", "shape": (6,)}),
            make("dense", (0,), {"units": 4}, shared="m", path="tail"),
            make("dense", (1,), {"units": 5}, shared="m", path="head"),
        ),
        outputs=(("y", 2),),
    )
    with pytest.raises(SpaceError, match=r"^head: the shared module 'm' .* at tail; one key names"):
        costs(graph)


@pytest.mark.parametrize(
    ("op", "attrs", "shapes", "message"),
    [
        (
            "add",
            {},
            ((16, 8, 8), (32, 8, 8)),
            r"got \(16, 8, 8\) and \(32, 8, 8\).*match='project'",
        ),
        ("concat", {}, ((16, 8, 8), (16, 4, 8)), r"got \(16, 8, 8\) and \(16, 4, 8\)"),
        ("concat", {"axis": 1}, ((16, 8), (16,)), r"got \(16, 8\) and \(16,\)"),
        ("concat", {"axis": 3}, ((16, 8, 8),) * 2, r"input \(16, 8, 8\) has no axis 3"),
        ("multiply", {}, ((4, 2), (4, 3)), r"got \(4, 2\) and \(4, 3\)"),
        ("conv2d", {"filters": 4}, ((12,),), r"needs \(channels, height, width\), got \(12,\)"),
        ("conv1d", {"filters": 4}, ((3, 8, 8),), r"needs \(channels, width\), got \(3, 8, 8\)"),
        (
            "conv2d",
            {"filters": 4, "kernel_size": 9, "padding": "valid"},
            ((3, 8, 20),),
            r"a window of 9 does not fit into 8 .* of input \(3, 8, 20\)",
        ),
        (
            "conv2d",
            {"filters": 4, "groups": 2},
            ((3, 8, 8),),
            r"groups=2 must divide the 3 channels",
        ),
        (
            "conv2d",
            {"filters": 4, "kernel_size": (3, 5, 7)},
            ((3, 8, 8),),
            r"kernel_size=\(3, 5, 7\) has 3 items for 2 spatial axes",
        ),
        ("max_pool2d", {"size": 3}, ((3, 2, 8),), r"window of 3 does not fit into 2"),
        ("max_pool2d", {"size": 2, "padding": 2}, ((3, 8, 8),), r"padding=2 is more than half"),
        (
            "conv_transpose2d",
            {"filters": 3, "padding": 9},
            ((3, 8, 8),),
            r"padding=9 leaves nothing",
        ),
        (
            "group_norm",
            {},
            ((12, 4, 4),),
            r"groups=8 must divide the channels of input \(12, 4, 4\)",
        ),
        ("attention", {"heads": 5}, ((7, 12),), r"heads=5 must divide the width 12 of input"),
        ("transformer_block", {"heads": 5}, ((7, 12),), r"heads=5 must divide the width 12"),
        ("lstm", {"units": 5}, ((7,),), r"lstm needs \(time, width\), got \(7,\)"),
        ("reshape", {"shape": (7, 7)}, ((3, 4),), r"\(3, 4\) has 12 elements and cannot become"),
        ("reshape", {"shape": (-1, -1)}, ((3, 4),), r"cannot become \(-1, -1\)"),
        ("global_avg_pool", {}, ((3,),), r"needs \(channels, ...\), got \(3,\)"),
        ("to_sequence", {}, ((3,),), r"needs \(channels, ...\), got \(3,\)"),
        ("project", {"shape": (3, 9, 9)}, ((3, 4, 4),), r"from \(3, 4, 4\) to \(3, 9, 9\)"),
        ("project", {}, ((3, 4, 4),), r"needs either filters= or shape="),
        ("mbconv", {"filters": 3}, ((3, 4),), r"needs \(channels, height, width\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_at_the_operation_with_its_path(
    op: str, attrs: dict[str, object], shapes: tuple[Shape, ...], message: str
) -> None:
    with pytest.raises(SpaceError, match=r"^body/0: .*" + message):
        one(op, attrs, *shapes)


def test_shape_error_carries_path_and_both_shapes() -> None:
    with pytest.raises(ShapeError) as caught:
        one("add", {}, (16, 8, 8), (32, 8, 8))
    assert caught.value.path == "body/0"
    assert caught.value.shapes == ((16, 8, 8), (32, 8, 8))


def test_wrong_number_of_inputs_is_refused() -> None:
    x = make("input", (), {"name": "x", "shape": (4,)})
    for node, said in (
        (Node(op="relu", inputs=(0, 0), path="p"), "relu takes 1 inputs, got 2"),
        (Node(op="add", inputs=(), path="p"), "add takes 1 to any number inputs, got 0"),
    ):
        with pytest.raises(SpaceError, match=f"^p: {said}"):
            infer_shapes(ModelGraph(nodes=(x, node), outputs=(("y", 1),)))
