"""Operations on sequences ``(time, width)``: embeddings, recurrent layers, attention."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.elementwise import ACTIVATIONS
from morphml.graph.operations.windows import BIAS
from morphml.graph.values import Shape


def _time_and_width(name: str, shape: Shape) -> tuple[int, int]:
    if len(shape) != 2:
        raise ShapeError(f"{name} needs (time, width), got {shape}", shapes=(shape,))
    return shape[0], shape[1]


def _infer_embedding(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    return (*shapes[0], whole(attrs, "units"))


def _count_embedding(_shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    return Count(whole(attrs, "vocabulary") * out[-1], 0, prod(out))


def _infer_positional(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    return _time_and_width("positional_embedding", shapes[0])


def _count_positional(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    elements = prod(out)
    return Count(elements, elements, elements)


def _recurrent(name: str, summary: str, gates: int, small: int) -> Operation:
    """A recurrent layer with ``gates`` matrices and ``small`` elementwise FLOPs for each unit."""

    def infer(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
        time, _ = _time_and_width(name, shapes[0])
        width = whole(attrs, "units") * (2 if attrs["bidirectional"] else 1)
        return (time, width) if attrs["sequences"] else (width,)

    def count(shapes: tuple[Shape, ...], _out: Shape, attrs: Attrs) -> Count:
        (time, width), units, layers = shapes[0], whole(attrs, "units"), whole(attrs, "layers")
        directions = 2 if attrs["bidirectional"] else 1
        params = flops = 0
        for _ in range(layers):
            weights = gates * units * (width + units)
            params += directions * (weights + 2 * gates * units)  # two bias vectors, as in cuDNN
            flops += directions * time * (2 * weights + small * units)
            width = units * directions
        return Count(params, flops, layers * directions * time * units * (gates + 1))

    return Operation(
        name=name,
        summary=summary,
        attributes=(
            Attribute(name="units", kind=Kind.WHOLE, required=True, minimum=1),
            Attribute(name="layers", kind=Kind.WHOLE, default=1, minimum=1),
            Attribute(name="bidirectional", kind=Kind.FLAG, default=False),
            Attribute(name="sequences", kind=Kind.FLAG, default=True),
        ),
        infer=infer,
        count=count,
        parametric=True,
    )


def _heads_fit(name: str, shape: Shape, attrs: Attrs) -> Shape:
    _, width = _time_and_width(name, shape)
    if width % whole(attrs, "heads"):
        raise ShapeError(
            f"{name}: heads={attrs['heads']} must divide the width {width} of input {shape}",
            shapes=(shape,),
        )
    return shape


def _infer_attention(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    return _heads_fit("attention", shapes[0], attrs)


def _attention(shape: Shape, heads: int, bias: bool) -> Count:
    time, width = shape
    params = 4 * width * width + (4 * width if bias else 0)
    scores = heads * time * time
    flops = 8 * time * width * width + 4 * time * time * width + 5 * scores
    return Count(params, flops, 5 * time * width + 2 * scores)


def _count_attention(_shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    return _attention(out, whole(attrs, "heads"), bool(attrs["bias"]))


def _infer_block(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    return _heads_fit("transformer_block", shapes[0], attrs)


def _count_block(_shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    time, width = out
    hidden = width * whole(attrs, "expansion")
    inner = _attention(out, whole(attrs, "heads"), bias=True)
    elements = time * width
    return Count(
        inner.params + 2 * width * hidden + hidden + width + 4 * width,
        inner.flops + 4 * elements * hidden + time * hidden + (2 * 5 + 2) * elements,
        inner.activations + 2 * time * hidden + 5 * elements,
    )


_HEADS = Attribute(name="heads", kind=Kind.WHOLE, required=True, minimum=1)

OPERATIONS = (
    Operation(
        name="embedding",
        summary="A vector for each integer: (t,) -> (t, units).",
        attributes=(
            Attribute(name="vocabulary", kind=Kind.WHOLE, required=True, minimum=1),
            Attribute(name="units", kind=Kind.WHOLE, required=True, minimum=1),
        ),
        infer=_infer_embedding,
        count=_count_embedding,
        parametric=True,
    ),
    Operation(
        name="positional_embedding",
        summary="Adds a learned vector to each position of (t, d).",
        infer=_infer_positional,
        count=_count_positional,
        parametric=True,
    ),
    _recurrent("lstm", "Long short-term memory: (t, d) -> (t, u), or the last step.", 4, 9),
    _recurrent("gru", "Gated recurrent unit: (t, d) -> (t, u), or the last step.", 3, 8),
    Operation(
        name="attention",
        summary="Multi-head self-attention with query, key, value and output projections.",
        attributes=(_HEADS, BIAS),
        infer=_infer_attention,
        count=_count_attention,
        parametric=True,
    ),
    Operation(
        name="transformer_block",
        summary="Pre-norm: x + attention(norm(x)), then x + mlp(norm(x)); all with bias.",
        attributes=(
            _HEADS,
            Attribute(name="expansion", kind=Kind.WHOLE, default=4, minimum=1),
            Attribute(name="dropout", kind=Kind.REAL, default=0.0, minimum=0.0, maximum=1.0),
            Attribute(name="activation", kind=Kind.TEXT, default="gelu", words=ACTIVATIONS),
        ),
        infer=_infer_block,
        count=_count_block,
        parametric=True,
    ),
)
