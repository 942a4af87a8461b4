"""Ready-made spaces: members, sizes, shapes and their text form."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

import morphml.space.ready as ready
from morphml import spaces
from morphml.errors import SpaceError, TextFormError
from morphml.space import SearchSpace
from morphml.space.text import parse_space

#: Small members of every ready-made space, with the shape of their one output.
SMALL: dict[str, tuple[Callable[[], SearchSpace], tuple[int, ...]]] = {
    "cnn": (lambda: spaces.cnn((1, 8, 8), classes=3), (3,)),
    "darts": (lambda: spaces.darts((3, 8, 8), classes=3, cells=3, width=4), (3,)),
    "mlp": (lambda: spaces.mlp((4,), classes=3), (3,)),
    "mobilenet": (lambda: spaces.mobilenet((3, 32, 32), classes=3), (3,)),
    "nasbench101": (lambda: spaces.nasbench101((3, 8, 8), 3, cells=1, stacks=2, width=8), (3,)),
    "nasbench201": (lambda: spaces.nasbench201((3, 8, 8), 3, cells=1, widths=(4, 8)), (3,)),
    "transformer": (lambda: spaces.transformer(50, length=7, classes=3, depth=2), (3,)),
    "unet": (lambda: spaces.unet((3, 16, 16), classes=3, widths=(4, 8), depth=3), (3, 16, 16)),
}
EACH = pytest.mark.parametrize(("make", "shape"), SMALL.values(), ids=SMALL)


def test_every_ready_made_space_is_tested_and_public() -> None:
    assert set(SMALL) == set(spaces.__all__) == set(ready.__all__)


@EACH
def test_members_fit_and_come_back_from_their_vectors(
    make: Callable[[], SearchSpace], shape: tuple[int, ...]
) -> None:
    space = make()
    rng = np.random.default_rng(3)
    ids = set()
    for member in [space.default(), *(space.sample(rng) for _ in range(20))]:
        ((_, output),) = member.graph.outputs
        assert member.shapes[output] == shape
        assert member.params > 0
        assert member.flops > 0
        assert space.contains(member).ok
        assert space.decode(space.encode(member)).graph_id == member.graph_id
        assert space.architecture(member.vector).decisions == member.decisions
        ids.add(member.graph_id)
    assert len(ids) >= 15


@EACH
def test_python_form_text_and_json_give_the_same_space(
    make: Callable[[], SearchSpace], shape: tuple[int, ...]
) -> None:
    space = make()
    for again in (
        parse_space(repr(space)),
        SearchSpace.from_text(space.to_text()),
        SearchSpace.from_json(space.to_json()),
    ):
        assert again == space
        assert repr(again) == repr(space)
        assert again.digest == space.digest
        assert [d.path for d in again.decisions] == [d.path for d in space.decisions]


def test_heads_divide_the_width_of_every_transformer() -> None:
    space = spaces.transformer()
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(100):
        decisions = space.sample(rng).decisions
        heads = [value for path, value in decisions.items() if path.endswith("heads")]
        assert heads
        assert all(decisions["width"] % (16 * head) == 0 for head in heads)
        seen.update((decisions["width"], head) for head in heads)
    assert {width for width, _ in seen} == {64, 96, 128, 192, 256}
    assert (192, 12) in seen


def test_nasbench101_keeps_to_seven_nodes_and_nine_edges() -> None:
    space = spaces.nasbench101((3, 8, 8), cells=1, stacks=1, width=8)
    rng = np.random.default_rng(2)
    for _ in range(100):
        decisions = space.sample(rng).decisions
        edges = [value for path, value in decisions.items() if "edge" in path]
        assert sum(map(bool, edges)) <= 9


def test_nasbench101_has_the_published_parameters_of_a_cell() -> None:
    """The example of the published table's own description: 2,694,282 trainable parameters."""
    reads = {1: (0,), 2: (0,), 3: (0,), 4: (3,), 5: (0,), "output": (1, 2, 4, 5)}
    ops = ("conv1x1", "conv3x3", "conv3x3", "conv3x3", "maxpool3x3")
    decisions: dict[str, object] = {f"cell/node_{n}/op": op for n, op in enumerate(ops, start=1)}
    for place, (target, sources) in enumerate(reads.items(), start=1):
        decisions |= {f"cell/edge_{n}_{target}": n in sources for n in range(place)}
    assert spaces.nasbench101().member(decisions).params == 2_694_282


def test_darts_halves_the_image_and_doubles_the_width_twice() -> None:
    member = spaces.darts((3, 32, 32), cells=3, width=4).sample(np.random.default_rng(0))
    sizes = sorted({shape[1:] for shape in member.shapes if len(shape) == 3}, reverse=True)
    assert sizes == [(32, 32), (16, 16), (8, 8)]
    # Four nodes of 4, 8 and 16 channels are concatenated.
    for size, channels in zip(sizes, (16, 32, 64), strict=True):
        assert (channels, *size) in member.shapes


def test_mobilenet_scales_all_filters_by_one_width() -> None:
    space = spaces.mobilenet((3, 64, 64))
    wide = {
        width: space.member({**space.default().decisions, "width": width}).params
        for width in (0.8, 1.0, 1.2)
    }
    assert all(a < b for a, b in pairwise(wide.values()))
    rng = np.random.default_rng(4)
    for _ in range(10):
        member = space.sample(rng)
        filters = [
            value for node in member.graph.nodes for key, value in node.attrs if key == "filters"
        ]
        assert filters
        assert all(value % 8 == 0 for value in filters)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("spaces.nasbench201(cells=0)", "cells must be a whole number from 1 to 100, got 0"),
        ("spaces.nasbench201(cells=1000000000)", "got 1000000000"),
        ("spaces.nasbench201(classes='ten')", "classes must be a whole number"),
        ("spaces.nasbench201(widths=[])", "widths must be a list of whole numbers, got []"),
        ("spaces.nasbench201(widths=[16, 0])", "each of widths must be"),
        ("spaces.mobilenet(depth=1)", "depth must be a whole number from 2"),
        ("spaces.transformer(widths=[24])", "widths"),
        ("spaces.unet(input=(3, 20, 20), depth=3)", "cannot be halved so"),
        ("spaces.cnn(input=(1, 0, 8))", "input"),
        ("spaces.darts(width=True)", "width must be a whole number"),
        ("spaces.mlp(depth=1.5)", "depth must be a whole number"),
        ("spaces.nasbench101(width=4)", "width must be a whole number from 5"),
        ("spaces.nasbench101(stacks=0)", "stacks must be a whole number"),
    ],
)
def test_wrong_argument_is_named(call: str, words: str) -> None:
    with pytest.raises(TextFormError) as caught:
        parse_space(call)
    assert words in str(caught.value)
    assert caught.value.column == 1
    assert isinstance(caught.value.__cause__, SpaceError)
