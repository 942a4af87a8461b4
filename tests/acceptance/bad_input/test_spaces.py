"""Spaces that break a rule: refused where they are written, with the place and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import morphml as mm
from morphml import layers as L
from morphml.errors import ShapeError, SpaceError

IMAGE = (1, 8, 8)
Make = Callable[[], mm.SearchSpace]


def of(*layers: object, size: tuple[int, ...] = (4,)) -> mm.SearchSpace:
    return mm.SearchSpace(input=size, layers=[*layers])


def test_unknown_layer_names_the_nearest_one() -> None:
    with pytest.raises(AttributeError) as caught:
        of(L.conv2(8))
    assert str(caught.value) == (
        "there is no layer 'conv2'; did you mean L.conv2d? "
        "Your own comes in with L.custom('module:Class')"
    )
    assert not hasattr(L, "warp_drive")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: of("conv2d"), "SearchSpace() is made of blocks such as L.relu(), got 'conv2d'"),
        (lambda: of(L.dense), "is made of blocks such as L.relu(), got <function dense"),
        (lambda: of(mm.choice()), "choice() needs at least one option, got none"),
        (lambda: of(L.dense(units=mm.choice())), "choice() needs at least one option, got none"),
        (lambda: of(mm.choice(L.relu(), L.relu())), "option relu() stands twice in choice("),
        (lambda: of(L.dense(mm.integer(9, 3))), "(9, 3): the lower bound is above the upper"),
        (lambda: of(L.dense(mm.choice(4, 8, default=5))), "default=5 is not among the options"),
        (lambda: of(L.dense(units=-3)), "dense: units must be at least 1, got -3"),
        (lambda: of(L.dense(units="many")), "dense: units must be an integer, got 'many'"),
        (lambda: of(mm.join("e1")), "join: join('e1') reads no tap or input set before it"),
        (lambda: of(), "a space with an input needs layers= or outputs="),
        (lambda: mm.SearchSpace(), "a space needs layers, hyper or decisions; this one"),
        (lambda: of(L.output(2), size=(0,)), "shape is a tuple of positive sizes, got (0,)"),
        (
            lambda: of(
                L.dense(mm.choice(4, 8, name="width")), L.dense(mm.choice(4, 9, name="width"))
            ),
            "dense_2/units: the name 'width' stands for choice(4, 8, name='width') and for "
            "choice(4, 9, name='width'); one name is one decision",
        ),
    ],
)  # fmt: skip
def test_space_that_says_something_impossible_is_refused(make: Make, words: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(words)):
        make()


LATE = "which is decided later; conditions and expressions may read earlier decisions only"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: of(
                mm.optional(L.dense(16), when=mm.ref("late") > 4),
                L.dense(mm.choice(4, 8, name="late")),
            ),
            f"optional: ref('late') > 4 reads 'late', {LATE}",
        ),
        (
            lambda: of(L.dense(mm.ref("late") * 2), L.dense(mm.choice(4, 8, name="late"))),
            f"dense/units: ref('late') * 2 reads 'late', {LATE}",
        ),
        (
            lambda: of(
                L.dense(mm.choice(4, 8, when=mm.ref("late") > 4)),
                mm.repeat(L.relu(), times=mm.integer(1, 9, name="late")),
            ),
            f"dense/units: ref('late') > 4 reads 'late', {LATE}",
        ),
        (
            lambda: of(L.dense(mm.choice(*mm.divisors(mm.ref("width"))))),
            "dense/units: there is no decision named 'width'",
        ),
        (
            lambda: mm.SearchSpace(
                decisions={
                    "a": mm.real(0, 1, when=mm.ref("late") > 0.5),
                    "b": mm.real(0, 1, name="late"),
                }
            ),
            f"a: ref('late') > 0.5 reads 'late', {LATE}",
        ),
    ],
)
def test_condition_on_a_later_decision_is_refused_with_both_places(make: Make, words: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(words)):
        make()


@pytest.mark.parametrize(
    ("make", "words", "shapes"),
    [
        (
            lambda: of(L.conv2d(8)),
            "conv2d: conv2d needs (channels, height, width), got (4,)",
            ((4,),),
        ),
        (
            lambda: of(L.conv2d(8, kernel_size=11, padding="valid"), size=IMAGE),
            "a window of 11 does not fit into 8 + 2 x 0 padding of input (1, 8, 8); use a smaller "
            "kernel, or padding='same'",
            (IMAGE,),
        ),
        (
            lambda: of(
                L.conv2d(8, kernel_size=mm.choice(3, 11), padding="valid"),
                L.flatten(),
                L.output(2),
                size=IMAGE,
            ),
            "a window of 11 does not fit into 8 + 2 x 0 padding of input (1, 8, 8); use a smaller "
            "kernel, or padding='same' (in the member with conv2d/kernel_size=11)",
            (IMAGE,),
        ),
        (
            lambda: of(
                mm.repeat(L.conv2d(8), L.max_pool2d(2), times=mm.integer(1, 6)),
                L.flatten(),
                L.output(2),
                size=IMAGE,
            ),
            "body/3/max_pool2d: max_pool2d: a window of 2 does not fit into 1 + 2 x 0 padding of "
            "input (8, 1, 1); use a smaller kernel, or padding='same' (in the member with "
            "body/times=6)",
            ((8, 1, 1),),
        ),
        (
            lambda: of(mm.parallel([L.conv2d(8), L.conv2d(16)]), size=IMAGE),
            "parallel: add needs equal shapes, got (8, 8, 8) and (16, 8, 8); give match='project' "
            "or make the branches equal",
            ((8, 8, 8), (16, 8, 8)),
        ),
        (
            lambda: of(L.conv2d(8), L.output(2), size=IMAGE),
            "output: output() needs a vector (d,), got (8, 8, 8); put L.flatten() or a global pool "
            "before it",
            ((8, 8, 8),),
        ),
    ],
)
def test_shape_that_cannot_fit_is_refused_at_the_operation_with_the_shapes(
    make: Make, words: str, shapes: tuple[tuple[int, ...], ...]
) -> None:
    with pytest.raises(ShapeError, match=re.escape(words)) as caught:
        make()
    assert caught.value.shapes == shapes
