"""Once-for-all MobileNet: depth, kernel, expansion and width of five stages."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.space import layers as L
from morphml.space.blocks import Block
from morphml.space.compose import repeat, sequence
from morphml.space.domains import choice, integer
from morphml.space.expressions import Expression, round_to
from morphml.space.ready.checks import check_count
from morphml.space.search_space import SearchSpace

#: Filters, stride, squeeze-excite ratio and activation of the five stages.
_STAGES = (
    (24, 2, 0.0, "relu"),
    (40, 2, 0.25, "relu"),
    (80, 2, 0.0, "hardswish"),
    (112, 1, 0.25, "hardswish"),
    (160, 2, 0.25, "hardswish"),
)


def mobilenet(
    input: tuple[int, ...] = (3, 224, 224),
    classes: int = 1000,
    widths: Sequence[float] = (0.8, 1.0, 1.2),
    depth: int = 4,
) -> SearchSpace:
    """The space of Once-for-all on MobileNetV3: stages, depths, kernels, expansions and width.

    Five stages of two to ``depth`` inverted bottlenecks; each bottleneck chooses its kernel (3, 5,
    7) and its expansion (3, 4, 6). One decision, ``width``, scales the filters of all stages, and
    filters are multiples of 8.

    Args:
        input: shape of the images, (channels, height, width).
        classes: number of outputs.
        widths: multipliers of the filters.
        depth: most bottlenecks in a stage, at least 2.

    Raises:
        SpaceError: for counts below 1, or a depth below 2.

    Source: Cai et al., Once-for-all, ICLR 2020 (arXiv:1908.09791), section 4.1.
    """
    check_count("classes", classes, most=1_000_000)
    check_count("depth", depth, least=2, most=100)
    width = choice(*widths, default=1.0 if 1.0 in widths else None, name="width")
    blocks: list[Block] = [
        L.conv2d(round_to(width * 16, 8), 3, 2, bias=False),
        L.batch_norm(),
        L.hardswish(),
        L.mbconv(round_to(width * 16, 8), 1, 3, 1, 0.0, "relu", name="first"),
    ]
    for number, stage in enumerate(_STAGES, start=1):
        blocks.append(_stage(f"stage{number}", stage, width, depth))
    blocks += [
        L.conv2d(round_to(width * 960, 8), 1, bias=False),
        L.batch_norm(),
        L.hardswish(),
        L.global_avg_pool(),
        L.dense(round_to(width * 1280, 8)),
        L.hardswish(),
        L.output(classes),
    ]
    return SearchSpace(input=input, layers=blocks, name="mobilenet")


def _stage(
    name: str, stage: tuple[int, int, float, str], width: Expression, depth: int
) -> Block:  # fmt: skip
    filters, stride, ratio, activation = stage

    def bottleneck(strides: int) -> Block:
        return L.mbconv(
            round_to(width * filters, 8),
            choice(3, 4, 6),
            choice(3, 5, 7),
            strides,
            ratio,
            activation,
        )

    return sequence(
        bottleneck(stride),
        repeat(bottleneck(1), times=integer(1, depth - 1)),
        name=name,
    )
