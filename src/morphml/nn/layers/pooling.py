"""Pooling: windows, adaptive, global, and over the steps of a sequence."""

from __future__ import annotations

from morphml.nn.expression import Construct, Function, Module, Port, construct
from morphml.nn.layers.convolution import spatial
from morphml.nn.layers.padding import Pads, padded, same_padding
from morphml.nn.site import Site, short


def max_pool(site: Site) -> Module:
    """``nn.MaxPool1d``, ``2d`` or ``3d``; cells outside count as minus infinity."""
    n = spatial(site)
    return Module(_window(site, f"nn.MaxPool{n}d", {}, fill=float("-inf")))


def avg_pool(site: Site) -> Module:
    """``nn.AvgPool1d``, ``2d`` or ``3d``; cells outside are not counted in the mean.

    An even window with ``padding="same"`` needs one cell more after than before; torch cannot leave
    that cell out of its mean, so there `AveragePoolSame` divides by the number of cells inside.
    """
    n = spatial(site)
    pads = _pads(site)
    if any(left != right for left, right in pads):
        kernel, stride = _kernel_and_stride(site)
        cells = tuple(size for pair in reversed(pads) for size in pair)
        return Module(construct("AveragePoolSame", short(kernel), short(stride), cells))
    options: dict[str, object] = {}
    if any(left for left, _ in pads):
        options["count_include_pad"] = False
    return Module(_window(site, f"nn.AvgPool{n}d", options, fill=0.0))


def adaptive(site: Site) -> Module:
    """``nn.AdaptiveAvgPool2d`` and its like: any size to the size given."""
    n = spatial(site)
    kind = "Avg" if "avg" in site.op else "Max"
    return Module(construct(f"nn.Adaptive{kind}Pool{n}d", short(site.sizes("size", n))))


def global_average(site: Site) -> Function:
    """The mean of each channel: (c, ...) to (c,)."""
    return Function(construct("torch.mean", Port(), dim=_all_but_channels(site)))


def global_max(site: Site) -> Function:
    """The largest value of each channel: (c, ...) to (c,)."""
    return Function(construct("torch.amax", Port(), dim=_all_but_channels(site)))


def sequence(site: Site) -> Function:
    """One vector of a sequence, (t, d) to (d,): its mean, its maximum or its last step."""
    match site.text("how"):
        case "mean":
            return Function(construct("torch.mean", Port(), dim=1))
        case "max":
            return Function(construct("torch.amax", Port(), dim=1))
        case _:
            return Function(construct("torch.select", Port(), dim=1, index=-1))


def _all_but_channels(site: Site) -> tuple[int, ...]:
    return tuple(range(2, len(site.shape) + 1))


def _window(site: Site, callee: str, options: dict[str, object], *, fill: float) -> Construct:
    kernel, stride = _kernel_and_stride(site)
    window: dict[str, object] = {"kernel_size": short(kernel), "stride": short(stride)}
    return padded(callee, (), window | options, pads=_pads(site), fill=fill)


def _kernel_and_stride(site: Site) -> tuple[tuple[int, ...], tuple[int, ...]]:
    n = spatial(site)
    kernel = site.sizes("size", n)
    return kernel, kernel if site.attrs["stride"] is None else site.sizes("stride", n)


def _pads(site: Site) -> Pads:
    n = spatial(site)
    kernel, _ = _kernel_and_stride(site)
    if site.attrs["padding"] == "same":
        return same_padding(kernel, (1,) * n)
    if site.attrs["padding"] == "valid":
        return ((0, 0),) * n
    return tuple((size, size) for size in site.sizes("padding", n))
