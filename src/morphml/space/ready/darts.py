"""DARTS: a normal and a reduction cell, each node reading two earlier ones."""

from __future__ import annotations

from morphml.space import layers as L
from morphml.space.blocks import Block
from morphml.space.compose import cell, sequence
from morphml.space.expressions import channels
from morphml.space.ready.checks import check_count
from morphml.space.search_space import SearchSpace


def darts(
    input: tuple[int, ...] = (3, 32, 32),
    classes: int = 10,
    cells: int = 8,
    width: int = 16,
) -> SearchSpace:
    """The space of DARTS: four nodes a cell, two edges a node, seven operations an edge.

    Cells read the outputs of the last two cells; a cell's output is the concatenation of its nodes.
    The cells at one and two thirds of the network are reduction cells: they halve the image, and
    the width doubles there. All normal cells are equal, and so are all reduction cells.

    Args:
        input: shape of the images, (channels, height, width).
        classes: number of outputs.
        cells: how many cells stand in a row (8 in the paper's search, 20 in its evaluation).
        width: channels of a node in the first cells.

    Raises:
        SpaceError: for counts below 1.

    Source: Liu, Simonyan and Yang, DARTS, ICLR 2019 (arXiv:1806.09055), sections 2.1 and 3.1.
    """
    check_count("classes", classes)
    check_count("cells", cells, most=100)
    check_count("width", width)
    reductions = {cells // 3, 2 * cells // 3} - {0}
    blocks: list[Block] = [L.conv2d(3 * width, 3, bias=False), L.batch_norm()]
    for position in range(cells):
        if position in reductions:
            width *= 2
        blocks.append(_cell(width, reduce=position in reductions))
    blocks += [L.global_avg_pool(), L.output(classes)]
    return SearchSpace(input=input, layers=blocks, name="darts")


def _cell(width: int, *, reduce: bool) -> Block:
    return cell(
        on="edges",
        nodes=4,
        ops=[
            L.max_pool2d(3, 1, "same", name="max_pool_3x3"),
            L.avg_pool2d(3, 1, "same", name="avg_pool_3x3"),
            L.identity(name="skip_connect"),
            _separable(3),
            _separable(5),
            _dilated(3),
            _dilated(5),
        ],
        inputs=2,
        in_degree=2,
        merge="concat",
        reduce=reduce,
        channels=width,
        name="reduce" if reduce else "normal",
    )


def _separable(size: int) -> Block:
    once = (L.relu(), L.separable_conv2d(channels(), size, bias=False), L.batch_norm())
    return sequence(*once, *once, name=f"sep_conv_{size}x{size}")


def _dilated(size: int) -> Block:
    return sequence(
        L.relu(),
        L.conv2d(channels(), size, dilation=2, groups=channels(), bias=False),
        L.conv2d(channels(), 1, bias=False),
        L.batch_norm(),
        name=f"dil_conv_{size}x{size}",
    )
