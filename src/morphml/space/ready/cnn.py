"""Plain convolutional networks for small images."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.space import layers as L
from morphml.space.compose import repeat
from morphml.space.domains import choice, integer, optional, real
from morphml.space.ready.checks import check_count, check_counts
from morphml.space.search_space import SearchSpace


def cnn(
    input: tuple[int, ...] = (1, 28, 28),
    classes: int = 10,
    widths: Sequence[int] = (16, 32, 64),
    depth: int = 3,
) -> SearchSpace:
    """Convolutions with normalisation, an activation and pooling, and a learning rate beside them.

    Args:
        input: shape of the images, (channels, height, width).
        classes: number of outputs.
        widths: filters of a convolution to choose from.
        depth: most convolutions; an image is pooled at most so often that it keeps one pixel.

    Raises:
        SpaceError: for counts below 1, or images of another form.
    """
    check_counts("input", input, most=100_000)
    check_count("classes", classes, most=1_000_000)
    check_counts("widths", widths, most=1_000_000)
    check_count("depth", depth, most=1_000)
    # max_pool2d(2, padding="same") keeps at least one pixel, whatever is chosen.
    features = repeat(
        L.conv2d(choice(*widths), choice(3, 5)),
        optional(L.batch_norm()),
        choice(L.relu(), L.gelu(), L.silu()),
        optional(L.max_pool2d(2, padding="same"), default=True),
        times=integer(1, depth),
    )
    return SearchSpace(
        input=input,
        layers=[
            features,
            L.global_avg_pool(),
            optional(L.dense(choice(64, 128, 256))),
            L.output(classes),
        ],
        hyper={"lr": real(1e-4, 1e-1, log=True)},
        name="cnn",
    )
