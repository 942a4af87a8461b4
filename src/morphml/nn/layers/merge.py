"""Operations that join several tensors."""

from __future__ import annotations

from morphml.graph.operations.dense import projection
from morphml.nn.expression import Function, Infix, Module, Ports, construct
from morphml.nn.site import Site, short


def add(_: Site) -> Infix:
    """The sum."""
    return Infix("+")


def multiply(_: Site) -> Infix:
    """The product."""
    return Infix("*")


def concat(site: Site) -> Function:
    """Joined along one axis: ``torch.cat``."""
    axis = site.integer("axis") % len(site.shape)
    return Function(construct("torch.cat", Ports(), dim=axis + 1))


def project(site: Site) -> Module:
    """A 1x1 convolution (strided where needed) or a dense layer: to the shape wanted."""
    output, last_axis, strides = projection(site.shape, site.attrs)
    if last_axis:
        return Module(construct("nn.Linear", site.features, output[-1]))
    options: dict[str, object] = {"kernel_size": 1}
    if set(strides) != {1}:
        options["stride"] = short(strides)
    return Module(construct(f"nn.Conv{len(strides)}d", site.channels, output[0], **options))
