"""Explicit padding, so that "same" gives ceil(n / stride) for every kernel and stride."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.nn.expression import Construct, construct
from morphml.nn.site import short

#: Cells added before and after, one pair per spatial axis.
Pads = tuple[tuple[int, int], ...]


def same_padding(kernel: tuple[int, ...], dilation: tuple[int, ...]) -> Pads:
    """What keeps ceil(n / stride) cells: (k_eff - 1) // 2 before, the rest after."""
    totals = [reach * (size - 1) for size, reach in zip(kernel, dilation, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


def padded(
    callee: str,
    args: tuple[object, ...],
    options: Mapping[str, object],
    *,
    pads: Pads,
    fill: float = 0.0,
) -> Construct:
    """The layer with ``pads``: as its own argument where symmetric, else as a layer before it.

    Args:
        callee: a layer that takes ``padding=`` and fills with ``fill`` itself.
        args: its positional arguments.
        options: its named arguments, without ``padding``.
        pads: cells to add on each spatial axis.
        fill: what a separate padding layer fills with.
    """
    before = tuple(left for left, _ in pads)
    if all(left == right for left, right in pads):
        return construct(callee, *args, **_with_padding(options, before))
    # torch lists the pads of the last axis first.
    cells = tuple(size for pair in reversed(pads) for size in pair)
    pad = construct(f"nn.ConstantPad{len(pads)}d", cells, fill)
    return construct("nn.Sequential", pad, construct(callee, *args, **options))


def _with_padding(options: Mapping[str, object], sizes: tuple[int, ...]) -> dict[str, object]:
    """The options with ``padding`` in its usual place, behind kernel and stride."""
    if not any(sizes):
        return dict(options)
    first = {name: options[name] for name in ("kernel_size", "stride") if name in options}
    return {**first, "padding": short(sizes), **options}
