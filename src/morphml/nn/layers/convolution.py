"""Convolutions: plain, depthwise, separable, transposed."""

from __future__ import annotations

from morphml.nn.expression import Construct, Module, construct
from morphml.nn.layers.padding import Pads, padded, same_padding
from morphml.nn.site import Site, short


def convolution(site: Site) -> Module:
    """``nn.Conv1d``, ``Conv2d`` or ``Conv3d``, by the number of spatial axes in the name."""
    n = spatial(site)
    kernel = site.sizes("kernel_size", n)
    stride = site.sizes("stride", n)
    dilation = site.sizes("dilation", n)
    pads = _padding(site, kernel, dilation)
    options: dict[str, object] = {"kernel_size": short(kernel)}
    options |= _unless_one("stride", stride) | _unless_one("dilation", dilation)
    if site.integer("groups") != 1:
        options["groups"] = site.integer("groups")
    options |= _bias(site)
    return Module(
        padded(f"nn.Conv{n}d", (site.channels, site.integer("filters")), options, pads=pads)
    )


def depthwise(site: Site) -> Module:
    """``nn.Conv2d`` with one group per input channel."""
    return Module(_depthwise(site, multiplier=site.integer("multiplier"), bias=_bias(site)))


def separable(site: Site) -> Module:
    """A depthwise convolution without bias, then a pointwise one."""
    pointwise = construct(
        "nn.Conv2d", site.channels, site.integer("filters"), kernel_size=1, **_bias(site)
    )
    spatial_part = _depthwise(site, multiplier=1, bias={"bias": False})
    return Module(construct("nn.Sequential", spatial_part, pointwise))


def transposed(site: Site) -> Module:
    """``nn.ConvTranspose1d``, ``2d`` or ``3d``: (n - 1) * stride - 2 * padding + kernel_size."""
    n = spatial(site)
    options: dict[str, object] = {"kernel_size": short(site.sizes("kernel_size", n))}
    options |= _unless_one("stride", site.sizes("stride", n))
    padding = site.sizes("padding", n)
    if any(padding):
        options["padding"] = short(padding)
    options |= _bias(site)
    return Module(
        construct(f"nn.ConvTranspose{n}d", site.channels, site.integer("filters"), **options)
    )


def spatial(site: Site) -> int:
    """How many spatial axes the operation has: the digit before the ``d`` that ends its name."""
    return int(site.op[-2])


def _depthwise(site: Site, *, multiplier: int, bias: dict[str, object]) -> Construct:
    channels, kernel = site.channels, site.sizes("kernel_size", 2)
    options: dict[str, object] = {"kernel_size": short(kernel)}
    options |= _unless_one("stride", site.sizes("stride", 2))
    options |= {"groups": channels} | bias
    pads = _padding(site, kernel, (1, 1))
    return padded("nn.Conv2d", (channels, channels * multiplier), options, pads=pads)


def _padding(site: Site, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> Pads:
    match site.attrs["padding"]:
        case "same":
            return same_padding(kernel, dilation)
        case "valid":
            return ((0, 0),) * len(kernel)
        case _:
            return tuple((size, size) for size in site.sizes("padding", len(kernel)))


def _unless_one(name: str, sizes: tuple[int, ...]) -> dict[str, object]:
    return {} if set(sizes) == {1} else {name: short(sizes)}


def _bias(site: Site) -> dict[str, object]:
    return {} if site.flag("bias") else {"bias": False}
