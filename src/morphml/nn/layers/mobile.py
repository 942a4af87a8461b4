"""Squeeze and excitation, and the inverted bottleneck of MobileNet and EfficientNet."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.layers.activation import ACTIVATIONS
from morphml.nn.layers.convolution import per_channel
from morphml.nn.layers.padding import same_padding
from morphml.nn.site import Site


def squeeze_excite(site: Site) -> Module:
    """Each channel weighted by what a small network says of all channel means."""
    hidden = max(1, int(site.channels * site.number("ratio")))
    return Module(construct("SqueezeExcite", site.channels, hidden))


def mbconv(site: Site) -> Module:
    """Inverted bottleneck: expand, depthwise, squeeze and excite, project; added where it fits."""
    hidden = site.channels * site.integer("expansion")
    kernel = site.sizes("kernel_size", 2)
    options: dict[str, object] = {
        "hidden": hidden,
        "depthwise": per_channel(
            site,
            channels=hidden,
            filters=hidden,
            options={"bias": False},
            pads=same_padding(kernel, (1, 1)),
        ),
        "activation": construct(ACTIVATIONS[site.text("activation")]),
    }
    ratio = site.number("se_ratio")
    if ratio > 0:
        squeezed = max(1, int(site.channels * ratio))
        options["excite"] = construct("SqueezeExcite", hidden, squeezed)
    block = construct("MBConv", site.channels, site.integer("filters"), **options)
    return Module(construct("Residual", block) if site.output == site.shape else block)
