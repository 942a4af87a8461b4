"""Normalisations.

Batch and group normalisation see axis 0 as the channels. Layer and RMS normalisation act on the
last axis of ``(d,)`` and ``(t, d)``, and on the channels (axis 0) of ``(c, h, w)`` and larger.
FLOPs for each element as in fvcore: 2 for batch, 5 for layer and group, 4 for RMS.
"""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.values import Shape


def _normalization(name: str, summary: str, *, flops: int, weights: int, last: bool) -> Operation:
    def infer(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
        if not shapes[0]:
            raise ShapeError(f"{name} needs at least one axis, got ()", shapes=shapes)
        return shapes[0]

    def count(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
        width = out[-1] if last and len(out) <= 2 else out[0]
        elements = prod(out)
        return Count(weights * width, flops * elements, elements)

    return Operation(name=name, summary=summary, infer=infer, count=count, parametric=True)


def _infer_group(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape, groups = shapes[0], whole(attrs, "groups")
    if not shape or shape[0] % groups:
        raise ShapeError(
            f"group_norm: groups={groups} must divide the channels of input {shape}", shapes=shapes
        )
    return shape


def _count_group(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    elements = prod(out)
    return Count(2 * out[0], 5 * elements, elements)


OPERATIONS = (
    _normalization("batch_norm", "Batch normalisation of axis 0.", flops=2, weights=2, last=False),
    _normalization("layer_norm", "Layer normalisation.", flops=5, weights=2, last=True),
    _normalization("rms_norm", "Root-mean-square normalisation.", flops=4, weights=1, last=True),
    Operation(
        name="group_norm",
        summary="Group normalisation of axis 0.",
        attributes=(Attribute(name="groups", kind=Kind.WHOLE, default=8, minimum=1),),
        infer=_infer_group,
        count=_count_group,
        parametric=True,
    ),
)
