"""U-Nets: down, a bottom, and up again with skip connections."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.errors import SpaceError
from morphml.space import layers as L
from morphml.space.blocks import Block
from morphml.space.compose import join, nest, sequence, tap
from morphml.space.domains import choice, integer
from morphml.space.ready.checks import check_count, check_counts
from morphml.space.search_space import SearchSpace


def unet(
    input: tuple[int, ...] = (3, 64, 64),
    classes: int = 2,
    widths: Sequence[int] = (16, 32, 64),
    depth: int = 4,
) -> SearchSpace:
    """Networks that give each pixel a class: one to ``depth`` levels down and up again.

    Each level halves the image on the way down and doubles it on the way up, where it reads what
    the same level had on the way down.

    Args:
        input: shape of the images, (channels, height, width); height and width are multiples of
            2**depth.
        classes: channels of the output, which has the image's height and width.
        widths: filters of a level to choose from.
        depth: most levels.

    Raises:
        SpaceError: for counts below 1, or an image that cannot be halved ``depth`` times.

    Source: Ronneberger, Fischer and Brox, U-Net, MICCAI 2015 (arXiv:1505.04597).
    """
    check_counts("input", input, most=100_000)
    check_count("classes", classes)
    check_count("depth", depth, most=16)
    check_counts("widths", widths, most=1_000_000)
    if len(input) != 3 or any(size % 2**depth for size in input[1:]):
        raise SpaceError(f"depth={depth} halves images {depth} times; {input} cannot be halved so")
    levels = nest(
        down=sequence(_double(widths), tap("skip"), L.max_pool2d(2)),
        up=sequence(
            L.conv_transpose2d(choice(*widths)),
            join("skip", how=choice("concat", "add"), match="project"),
            _double(widths),
        ),
        inner=_double(widths),
        times=integer(1, depth),
    )
    return SearchSpace(
        input=input, layers=[levels, L.conv2d(classes, 1, name="classes")], name="unet"
    )


def _double(widths: Sequence[int]) -> Block:
    """Two convolutions of one width each, with a choice of kernel and normalisation."""
    norm = choice(L.batch_norm(), L.layer_norm(), L.identity())
    return sequence(
        L.conv2d(choice(*widths), choice(3, 5)), norm, L.relu(),
        L.conv2d(choice(*widths)), norm, L.relu(),
    )  # fmt: skip
