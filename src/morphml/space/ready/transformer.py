"""A transformer encoder whose heads divide its width."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.space import layers as L
from morphml.space.blocks import Input
from morphml.space.compose import repeat
from morphml.space.domains import choice, integer
from morphml.space.expressions import divisors
from morphml.space.ready.checks import check_count, check_counts
from morphml.space.search_space import SearchSpace


def transformer(
    vocabulary: int = 10_000,
    length: int = 128,
    classes: int = 2,
    widths: Sequence[int] = (64, 96, 128, 192, 256),
    depth: int = 6,
) -> SearchSpace:
    """A transformer encoder that classifies token sequences.

    One width for the whole network; each of up to ``depth`` blocks chooses its heads among the
    divisors of width / 16 (so each head has at least 16 channels), its expansion and its dropout.

    Args:
        vocabulary: number of tokens.
        length: tokens in a sequence.
        classes: number of outputs.
        widths: channels to choose from, each a multiple of 16.
        depth: most blocks.

    Raises:
        SpaceError: for counts below 1, or a width that is no multiple of 16.

    Source: Vaswani et al., Attention is all you need, 2017 (arXiv:1706.03762), section 3; blocks
    normalise first, as in Xiong et al., 2020 (arXiv:2002.04745).
    """
    check_count("vocabulary", vocabulary, most=10_000_000)
    check_count("length", length, most=1_000_000)
    check_count("classes", classes, most=1_000_000)
    check_counts("widths", [width // 16 * (width % 16 == 0) for width in widths])
    check_count("depth", depth, most=1_000)
    width = choice(*widths, name="width")
    return SearchSpace(
        inputs={"tokens": Input((length,), dtype="int64")},
        layers=[
            L.embedding(vocabulary, width),
            L.positional_embedding(),
            repeat(
                L.transformer_block(
                    heads=choice(*divisors(width // 16)),
                    expansion=choice(2, 4),
                    dropout=choice(0.0, 0.1, 0.2),
                ),
                times=integer(1, depth),
            ),
            L.layer_norm(),
            L.pool_sequence(choice("mean", "max")),
            L.output(classes),
        ],
        name="transformer",
    )
