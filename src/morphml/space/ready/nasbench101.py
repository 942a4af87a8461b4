"""NAS-Bench-101: one cell of up to seven nodes and nine edges, operations on the nodes."""

from __future__ import annotations

from morphml.space import layers as L
from morphml.space.blocks import Block
from morphml.space.compose import cell, sequence
from morphml.space.expressions import channels
from morphml.space.ready.checks import check_count
from morphml.space.search_space import SearchSpace

#: Inner nodes of a cell.
NODES = 5


def nasbench101(
    input: tuple[int, ...] = (3, 32, 32),
    classes: int = 10,
    cells: int = 3,
    stacks: int = 3,
    width: int = 128,
) -> SearchSpace:
    """The space of NAS-Bench-101: cells of at most 7 nodes (input and output counted) and 9 edges.

    Each of the up to five inner nodes is a 3x3 or 1x1 convolution (with batch norm and ReLU) or a
    3x3 max pooling. Nodes that lie on no path from the input to the output are not built, so one
    space holds the cells of all sizes. The nodes that reach the output share the cell's width and
    are concatenated; the others are as wide as the widest that they feed; where a node or the
    output reads the cell's input, a 1x1 convolution (with batch norm and ReLU) brings it to the
    width that is needed. The network is a 3x3 stem and ``stacks`` times ``cells`` copies of the
    cell; before each stack but the first the image is halved and the width doubled.

    Args:
        input: shape of the images, (channels, height, width).
        classes: number of outputs.
        cells: copies of the cell in a stack.
        stacks: number of stacks.
        width: channels of the first stack, at least 5: one for each inner node.

    Raises:
        SpaceError: for counts below 1, and widths below 5.

    Source: Ying et al., NAS-Bench-101, ICML 2019 (arXiv:1902.09635), section 2.
    """
    check_count("classes", classes)
    check_count("cells", cells, most=100)
    check_count("stacks", stacks, most=20)
    check_count("width", width, least=NODES)
    blocks: list[Block] = [_convolution(3, width, "stem")]
    for stack in range(stacks):
        if stack:
            blocks.append(L.max_pool2d(2))
        blocks += [_cell(width * 2**stack)] * cells
    blocks += [L.global_avg_pool(), L.output(classes)]
    return SearchSpace(input=input, layers=blocks, name="nasbench101")


def _cell(width: int) -> Block:
    return cell(
        on="nodes",
        nodes=NODES,
        ops=[_convolution(3), _convolution(1), L.max_pool2d(3, 1, "same", name="maxpool3x3")],
        max_edges=9,
        merge="share",
        channels=width,
        name="cell",
    )


def _convolution(kernel_size: int, filters: int | None = None, name: str | None = None) -> Block:
    return sequence(
        L.conv2d(filters or channels(), kernel_size, bias=False), L.batch_norm(), L.relu(),
        name=name or f"conv{kernel_size}x{kernel_size}",
    )  # fmt: skip
