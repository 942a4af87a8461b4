"""NAS-Bench-201: one cell of six edges, five operations, in a fixed skeleton."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.space import layers as L
from morphml.space.blocks import Block
from morphml.space.compose import cell, repeat, residual, sequence
from morphml.space.expressions import channels
from morphml.space.ready.checks import check_count, check_counts
from morphml.space.search_space import SearchSpace


def nasbench201(
    input: tuple[int, ...] = (3, 32, 32),
    classes: int = 10,
    cells: int = 5,
    widths: Sequence[int] = (16, 32, 64),
) -> SearchSpace:
    """The space of NAS-Bench-201: 15,625 cells, of which 5,425 build different networks.

    A cell has four nodes; each of its six edges carries zero, identity, a 1x1 or 3x3 convolution
    (ReLU, convolution, batch norm), or 3x3 average pooling. One cell is used in the whole network:
    a 3x3 stem, then for each width ``cells`` copies, with a residual block of stride 2 before each
    width but the first.

    Args:
        input: shape of the images, (channels, height, width).
        classes: number of outputs.
        cells: copies of the cell at each width.
        widths: channels of each stage.

    Raises:
        SpaceError: for counts below 1.

    Source: Dong and Yang, NAS-Bench-201, ICLR 2020 (arXiv:2001.00326), section 2.
    """
    check_count("classes", classes)
    check_count("cells", cells, most=100)
    check_counts("widths", widths)
    searched = cell(
        on="edges",
        nodes=3,
        ops=[_convolution(3), _convolution(1), _pooling(), L.identity(), L.zero()],
        merge="last",
        name="cell",
    )
    blocks: list[Block] = [L.conv2d(widths[0], 3, bias=False), L.batch_norm()]
    for stage, width in enumerate(widths):
        if stage:
            blocks.append(_reduction(width))
        blocks.append(repeat(searched, times=cells))
    blocks += [L.batch_norm(), L.relu(), L.global_avg_pool(), L.output(classes)]
    return SearchSpace(input=input, layers=blocks, name="nasbench201")


def _convolution(kernel_size: int) -> Block:
    return sequence(
        L.relu(), L.conv2d(channels(), kernel_size, bias=False), L.batch_norm(),
        name=f"conv{kernel_size}x{kernel_size}",
    )  # fmt: skip


def _pooling() -> Block:
    return L.avg_pool2d(3, 1, "same", name="pool3x3")


def _reduction(width: int) -> Block:
    return residual(
        L.relu(),
        L.conv2d(width, 3, 2, bias=False),
        L.batch_norm(),
        L.relu(),
        L.conv2d(width, 3, bias=False),
        L.batch_norm(),
        match="project",
        name="reduction",
    )
