"""Squeeze and excitation, and the inverted bottleneck of MobileNet and EfficientNet."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.layers.activation import ACTIVATIONS
from morphml.nn.site import Site, short


def squeeze_excite(site: Site) -> Module:
    """Each channel weighted by what a small network says of all channel means."""
    hidden = max(1, int(site.channels * site.number("ratio")))
    return Module(construct("SqueezeExcite", site.channels, hidden))


def mbconv(site: Site) -> Module:
    """Inverted bottleneck: expand, depthwise, squeeze and excite, project; added where it fits."""
    options: dict[str, object] = {
        "hidden": site.channels * site.integer("expansion"),
        "kernel_size": short(site.sizes("kernel_size", 2)),
        "activation": construct(ACTIVATIONS[site.text("activation")]),
    }
    stride = short(site.sizes("stride", 2))
    if stride != 1:
        options["stride"] = stride
    ratio = site.number("se_ratio")
    if ratio > 0:
        options["squeezed"] = max(1, int(site.channels * ratio))
    if site.output == site.shape:
        options["residual"] = True
    return Module(construct("MBConv", site.channels, site.integer("filters"), **options))
