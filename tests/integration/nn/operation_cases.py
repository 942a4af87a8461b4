"""One graph or more for every operation of the catalogue, and random graphs of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from morphml.errors import ShapeError
from morphml.graph import OPERATIONS, ModelGraph, Node, infer_shapes


@dataclass(frozen=True)
class Case:
    """One operation on inputs of some shapes."""

    op: str
    shapes: tuple[tuple[int, ...], ...]
    attrs: Mapping[str, object] = field(default_factory=dict)
    dtype: str = "float32"

    def __str__(self) -> str:
        attrs = ",".join(f"{name}={value}" for name, value in self.attrs.items())
        return f"{self.op}({attrs}){list(self.shapes)}"

    def graph(self) -> ModelGraph:
        nodes = [
            OPERATIONS.node("input", attrs={"name": f"in{i}", "shape": shape, "dtype": self.dtype})
            for i, shape in enumerate(self.shapes)
        ]
        nodes.append(OPERATIONS.node(self.op, tuple(range(len(nodes))), self.attrs))
        return ModelGraph(nodes=tuple(nodes), outputs=(("out", len(nodes) - 1),))


def _cases(op: str, shapes: Sequence[tuple[int, ...]], *attrs: Mapping[str, object]) -> list[Case]:
    return [Case(op, tuple(shapes), given) for given in attrs or ({},)]


IMAGE = [(6, 11, 8)]
LINE = [(6, 11)]
VOLUME = [(4, 5, 6, 7)]
STEPS = [(7, 12)]
WINDOWS: tuple[Mapping[str, object], ...] = (
    {},
    {"size": 3, "stride": 2, "padding": 1},
    {"size": 3, "stride": 1, "padding": "same"},
    {"size": 2, "stride": 2, "padding": "same"},
    {"size": 4, "stride": 3, "padding": "same"},
    {"size": 2, "stride": 1, "padding": "same"},
)
CONVOLUTIONS: tuple[Mapping[str, object], ...] = (
    {},
    {"kernel_size": 5, "stride": 2},
    {"kernel_size": 4, "stride": 2},
    {"kernel_size": 2},
    {"kernel_size": 1, "bias": False},
    {"kernel_size": 3, "dilation": 2},
    {"kernel_size": 2, "dilation": 3, "stride": 2},
    {"padding": "valid", "stride": 2},
    {"padding": 2, "groups": 2},
)
UNITS = {"filters": 10}

CASES: list[Case] = [
    *_cases("dense", [(9,)], {"units": 5}, {"units": 5, "bias": False}),
    *_cases("dense", STEPS, {"units": 5}),
    *_cases("dense", IMAGE, {"units": 5}),
    *_cases("conv1d", LINE, *({**UNITS, **c} for c in CONVOLUTIONS)),
    *_cases("conv2d", IMAGE, *({**UNITS, **c} for c in CONVOLUTIONS)),
    *_cases("conv2d", IMAGE, {**UNITS, "kernel_size": (1, 4), "stride": (2, 1)}),
    *_cases("conv2d", IMAGE, {**UNITS, "kernel_size": (3, 5), "padding": (0, 2)}),
    *_cases("conv3d", VOLUME, *({**UNITS, **c} for c in CONVOLUTIONS[:5])),
    *_cases(
        "depthwise_conv2d",
        IMAGE,
        {},
        {"kernel_size": 4, "stride": 2, "bias": False},
        {"multiplier": 3, "padding": "valid"},
        {"kernel_size": (1, 7), "padding": (0, 3)},
    ),
    *_cases(
        "separable_conv2d",
        IMAGE,
        UNITS,
        {**UNITS, "kernel_size": 2, "stride": 2, "bias": False},
        {**UNITS, "padding": 1},
    ),
    *_cases("conv_transpose1d", LINE, UNITS, {**UNITS, "kernel_size": 4, "padding": 1}),
    *_cases("conv_transpose2d", IMAGE, UNITS, {**UNITS, "kernel_size": 3, "bias": False}),
    *_cases("conv_transpose2d", IMAGE, {**UNITS, "kernel_size": (2, 3), "stride": (2, 3)}),
    *_cases("conv_transpose3d", VOLUME, UNITS),
    *_cases(
        "mbconv",
        IMAGE,
        {"filters": 6},
        {"filters": 10, "stride": 2},
        {"filters": 6, "expansion": 1, "se_ratio": 0.0, "activation": "relu"},
        {"filters": 6, "kernel_size": 4, "activation": "hardswish"},
        {"filters": 6, "kernel_size": (3, 5), "se_ratio": 1.0},
    ),
    Case("mbconv", ((6, 1, 1),), {"filters": 6, "stride": 2}),
    *_cases("squeeze_excite", IMAGE, {}, {"ratio": 0.01}),
    *_cases("squeeze_excite", LINE),
    *_cases("squeeze_excite", VOLUME),
    *(
        Case(f"{how}_pool{n}d", (shape,), window)
        for how in ("max", "avg")
        for n, shape in ((1, (6, 11)), (2, (6, 11, 8)), (3, (4, 5, 6, 7)))
        for window in WINDOWS
    ),
    *_cases("max_pool2d", IMAGE, {"size": (2, 3), "padding": "same", "stride": (1, 2)}),
    *_cases("avg_pool2d", IMAGE, {"size": (2, 3), "padding": "same", "stride": (1, 2)}),
    *(
        Case(f"adaptive_{how}_pool{n}d", (shape,), attrs)
        for how in ("max", "avg")
        for n, shape in ((1, (6, 11)), (2, (6, 11, 8)), (3, (4, 5, 6, 7)))
        for attrs in ({}, {"size": 3})
    ),
    *(
        Case(f"global_{how}_pool", (shape,))
        for how in ("max", "avg")
        for shape in ((6, 11), (6, 11, 8), (4, 5, 6, 7))
    ),
    *_cases("pool_sequence", STEPS, {}, {"how": "max"}, {"how": "last"}),
    *(
        Case(norm, (shape,))
        for norm in ("batch_norm", "layer_norm", "rms_norm")
        for shape in ((12,), (7, 12), (6, 11, 8), (4, 5, 6, 7))
    ),
    *(Case("group_norm", (shape,), {"groups": 2}) for shape in ((12,), (6, 8), (6, 11, 8))),
    *_cases("dropout", IMAGE, {}, {"rate": 0.0}),
    *(
        Case(name, (shape,))
        for name in (
            *("relu", "gelu", "silu", "tanh", "sigmoid", "elu", "leaky_relu", "softplus", "mish"),
            *("hardswish", "softmax"),
        )
        for shape in ((12,), (7, 12), (6, 11, 8))
    ),
    *_cases("flatten", IMAGE),
    *_cases("flatten", [(9,)]),
    *_cases("reshape", IMAGE, {"shape": (8, 66)}, {"shape": (4, -1, 11)}),
    *_cases("to_sequence", IMAGE),
    *_cases("to_sequence", VOLUME),
    *_cases("embedding", [(7,)], {"vocabulary": 50, "units": 12}),
    *_cases("positional_embedding", STEPS),
    *(
        Case(name, ((7, 12),), {"units": 5, **attrs})
        for name in ("lstm", "gru")
        for attrs in (
            {},
            {"sequences": False},
            {"layers": 2, "bidirectional": True},
            {"layers": 2, "bidirectional": True, "sequences": False},
        )
    ),
    *_cases("attention", STEPS, {"heads": 3}, {"heads": 1, "bias": False}),
    *_cases(
        "transformer_block",
        STEPS,
        {"heads": 3},
        {"heads": 4, "expansion": 2, "dropout": 0.1, "activation": "relu"},
    ),
    Case("add", ((6, 5, 5), (6, 5, 5), (6, 5, 5))),
    Case("multiply", ((6, 5, 5), (6, 5, 5))),
    Case("multiply", ((6, 5, 5), (6, 1, 1))),
    Case("concat", ((6, 5, 5), (3, 5, 5), (1, 5, 5))),
    Case("concat", ((7, 4), (7, 3)), {"axis": 1}),
    Case("concat", ((7, 4), (7, 3)), {"axis": -1}),
    *_cases("identity", IMAGE),
    *_cases("zero", IMAGE),
    *_cases("zero", IMAGE, {"shape": (3, 2)}),
    *_cases("upsample2d", IMAGE, {}, {"scale": 3}, {"scale": (1, 2)}),
    *_cases("narrow", IMAGE, {"channels": 1}, {"channels": 2}),
    *_cases("project", IMAGE, {"filters": 9}, {"shape": (9, 6, 4)}, {"shape": (9, 11, 8)}),
    *_cases("project", [(9,)], {"filters": 4}, {"shape": (4,)}),
    *_cases("project", STEPS, {"shape": (7, 5)}),
    *_cases("project", LINE, {"filters": 3}, {"shape": (3, 6)}),
]
CASES = [
    Case(case.op, case.shapes, case.attrs, "int64") if case.op == "embedding" else case
    for case in CASES
]


def random_graph(seed: int, size: int = 12) -> ModelGraph:
    """A graph of up to ``size`` random operations on an image, with one to three outputs."""
    rng = np.random.Generator(np.random.Philox(seed))
    nodes: list[Node] = [OPERATIONS.node("input", attrs={"name": "image", "shape": (4, 8, 8)})]
    shapes = [(4, 8, 8)]
    for _ in range(60):
        if len(nodes) > size:
            break
        node = _random_node(rng, shapes)
        try:
            graph = ModelGraph(nodes=(*nodes, node), outputs=(("out", len(nodes)),))
            shapes = list(infer_shapes(graph))
        except ShapeError:
            continue
        nodes.append(node)
    ends = sorted({int(i) for i in rng.integers(1, len(nodes), size=2)} | {len(nodes) - 1})
    return ModelGraph(
        nodes=tuple(nodes), outputs=tuple((f"out{k}", end) for k, end in enumerate(ends))
    )


MENU: tuple[tuple[str, int, Mapping[str, tuple[object, ...]]], ...] = (
    ("conv2d", 1, {"filters": (4, 8), "kernel_size": (1, 2, 3, 5), "stride": (1, 2)}),
    ("depthwise_conv2d", 1, {"kernel_size": (2, 3)}),
    ("separable_conv2d", 1, {"filters": (4, 8)}),
    ("mbconv", 1, {"filters": (4, 8), "stride": (1, 2), "expansion": (1, 2)}),
    ("squeeze_excite", 1, {}),
    ("max_pool2d", 1, {"size": (2, 3), "stride": (1, 2), "padding": ("same",)}),
    ("avg_pool2d", 1, {"size": (2, 3), "stride": (1, 2), "padding": ("same",)}),
    ("batch_norm", 1, {}),
    ("layer_norm", 1, {}),
    ("relu", 1, {}),
    ("gelu", 1, {}),
    ("identity", 1, {}),
    ("zero", 1, {}),
    ("to_sequence", 1, {}),
    ("attention", 1, {"heads": (1, 2)}),
    ("transformer_block", 1, {"heads": (2,), "expansion": (2,)}),
    ("gru", 1, {"units": (4, 8)}),
    ("dense", 1, {"units": (4, 8)}),
    ("flatten", 1, {}),
    ("add", 2, {}),
    ("add", 3, {}),
    ("multiply", 2, {}),
    ("concat", 2, {}),
    ("upsample2d", 1, {}),
)


def _random_node(rng: np.random.Generator, shapes: Sequence[tuple[int, ...]]) -> Node:
    op, arity, options = MENU[rng.integers(len(MENU))]
    attrs = {name: values[rng.integers(len(values))] for name, values in options.items()}
    recent = [max(0, len(shapes) - 1 - int(rng.exponential(1.5))) for _ in range(arity)]
    return OPERATIONS.node(op, tuple(recent), attrs)
