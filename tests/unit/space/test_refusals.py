"""What a space refuses when it is defined, and that the message says where and why."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from morphml import layers as L
from morphml.errors import ConstraintError, ShapeError, SpaceError
from morphml.space import (
    SearchSpace,
    cell,
    channels,
    choice,
    divisors,
    integer,
    join,
    optional,
    parallel,
    real,
    ref,
    repeat,
    residual,
    sequence,
    shared,
    tap,
)
from morphml.space.blocks import Layer

WIDTH = choice(4, 8, name="width")


def chain(*layers: object, **more: object) -> SearchSpace:
    return SearchSpace(input=(4,), layers=layers, **more)  # type: ignore[arg-type]


def image(*layers: object) -> SearchSpace:
    return SearchSpace(input=(1, 8, 8), layers=layers)


VALUES: dict[str, Callable[[], object]] = {
    "at least one option": lambda: choice(),
    "nan": lambda: choice(1, math.nan),
    "option 1.0 stands twice": lambda: choice(1, 1.0),
    "option relu() stands twice": lambda: choice(L.relu(), L.relu()),
    "all blocks or all values": lambda: choice(1, L.relu()),
    "option 0 is (<object": lambda: choice([object()]),
    "default=3 is not among": lambda: choice(1, 2, default=3),
    "letters, digits and _": lambda: choice(1, 2, name="a b"),
    "when= takes a condition": lambda: choice(1, 2, when=True),  # type: ignore[arg-type]
    "the lower bound is above": lambda: integer(4, 1),
    "must be whole numbers, got 1.5": lambda: integer(1.5, 2),
    "must be whole numbers, got True": lambda: integer(True, 3),
    "default=7 is outside integer(1, 3)": lambda: integer(1, 3, default=7),
    "starts above 0": lambda: integer(0, 5, log=True),
    "finite numbers as bounds and default, got inf": lambda: real(1, math.inf),
    "finite numbers as bounds and default, got '1'": lambda: real("1", 2),  # type: ignore[arg-type]
    "finite numbers as bounds and default, got 1e+301": lambda: real(1, 1e301),
    "between -2**53 and 2**53": lambda: integer(1, 10**400),
    "log= of integer() is True or False": lambda: integer(1, 3, log=divisors(12)),  # type: ignore[arg-type]
    "tie= of repeat() is True or False": lambda: repeat(L.relu(), times=1, tie=1),  # type: ignore[arg-type]
    "option 0 is 99999999999999999999": lambda: choice(99999999999999999999),
    "one value only": lambda: real(1, 1),
    "optional() takes a block": lambda: optional(3),
    "needs a name=": lambda: choice(1, 2) * 2,
    "has no value before a member": lambda: bool(choice(1, 2, name="a") > 1),
    "units must be an integer, got 'wide'": lambda: L.dense("wide"),
    "units must be an integer, got 1.5": lambda: L.dense(choice(1, 1.5)),
    "rate must be at most 1": lambda: L.dropout(2.0),
    "takes a value, got the block": lambda: L.dense(choice(L.relu(), L.elu())),
    "sequence() needs at least one block": lambda: sequence(),
    "repeat() is made of blocks": lambda: repeat(3, times=1),
    "a count is at least 0": lambda: repeat(L.relu(), times=-1),
    "is no count": lambda: repeat(L.relu(), times=real(1, 2)),
    "merge='mean' of parallel()": lambda: parallel([L.relu()], merge="mean"),
    "match='pad' is neither": lambda: residual(L.relu(), match="pad"),
    "how='mix' of join()": lambda: join("a", how="mix"),
    "on='faces' of cell()": lambda: cell(on="faces", nodes=2, ops=[L.relu()]),
    "in_degree= or max_edges=, not both": lambda: cell(
        on="edges", nodes=2, ops=[L.relu()], in_degree=2, max_edges=2
    ),
    "must begin with a letter": lambda: L.relu(name="a/b"),
}


@pytest.mark.parametrize("message", VALUES)
def test_value_is_refused_at_once(message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        VALUES[message]()
    assert message in str(caught.value)


SPACES: dict[tuple[str, str], Callable[[], object]] = {
    ("conv9", "there is no layer 'conv9'"): lambda: chain(Layer(kind="conv9")),
    ("dense/units", "reads 'width', which is decided later"): lambda: chain(
        L.dense(choice(1, 2, when=WIDTH == 4)), L.dense(WIDTH)
    ),
    ("dense/bias", "reads 'width', which is decided later"): lambda: chain(
        L.dense(3, choice(True, False, when=ref("width") == 4)), L.dense(WIDTH * 2)
    ),
    ("dense/units", "reads 'width', which is decided later;"): lambda: chain(
        L.dense(ref("width") * 2), L.dense(WIDTH)
    ),
    ("dense/units", "no decision named 'widht'; did you mean 'width'?"): lambda: chain(
        L.dense(ref("widht")), L.dense(WIDTH)
    ),
    ("dense_2/units", "the name 'width' stands for choice(4, 8, name='width') and for"): (
        lambda: chain(L.dense(WIDTH), L.dense(choice(4, 9, name="width")))
    ),
    ("dense_2/units", "the name 'width' stands for choice(4, 8, name='width') and"): (
        lambda: chain(L.dense(WIDTH), L.dense(choice(4, 8, name="width", ordered=False)))
    ),
    ("join", "reads no tap or input set before it in this scope; in sight are: early"): (
        lambda: chain(tap("early"), join("earl"))
    ),
    ("join", "reads no tap"): lambda: chain(
        repeat(tap("inside"), times=1), L.relu(), join("inside")
    ),
    ("dense/units", "divisors() needs a whole number"): lambda: chain(
        L.dense(choice(*divisors(choice(0, 4, name="zero"))))
    ),
    ("dense/units", "is empty for low=9"): lambda: chain(
        L.dense(integer(choice(1, 9, name="low"), 5))
    ),
    ("body", "times= can be 2.5"): lambda: chain(repeat(L.relu(), times=choice(1, 2.5))),
    ("tower_2", "one name is one part"): lambda: chain(
        shared(L.dense(4), name="tower"), shared(L.dense(8), name="tower")
    ),
    ("normal_2", "one name is one part"): lambda: image(
        cell(on="edges", nodes=2, ops=[L.relu(), L.identity()], name="normal"),
        cell(on="edges", nodes=3, ops=[L.relu(), L.identity()], name="normal"),
    ),
    ("cell", "put L.zero() among ops="): lambda: image(
        cell(on="edges", nodes=2, ops=[L.relu(), L.elu()], max_edges=1)
    ),
    ("dense/units", "cannot read channels()"): lambda: chain(
        L.dense(choice(1, 2, when=channels() > 1))
    ),
    ("dense/units", "divisors() needs a whole number from 1 to 1,000,000"): lambda: chain(
        L.dense(choice(*divisors(99999999999999999989)))
    ),
    ("", "needs input="): lambda: SearchSpace(layers=[L.relu()]),
    ("", "has nothing in it"): lambda: SearchSpace(),
    ("", "an input needs layers="): lambda: SearchSpace(input=(4,)),
    ("", "tuple of positive sizes, got (0,)"): lambda: SearchSpace(input=(0,), layers=[L.relu()]),
    ("", "got <function relu"): lambda: chain(L.relu),
    ("", "either input= or inputs="): lambda: chain(L.relu(), inputs={"a": (4,)}),
    ("", "decisions= stands for itself"): lambda: chain(L.relu(), decisions={"a": choice(1, 2)}),
    ("", "build= builds from decisions="): lambda: SearchSpace(build=print),
    ("", "hyper['lr'] takes a value"): lambda: chain(L.relu(), hyper={"lr": L.relu()}),
}


@pytest.mark.parametrize(("path", "message"), SPACES)
def test_space_is_refused_with_the_path(path: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        SPACES[path, message]()
    assert caught.value.path == path
    assert message in str(caught.value)


SHAPES: dict[str, tuple[Callable[[], object], tuple[tuple[int, ...], ...]]] = {
    "conv2d": (lambda: image(L.conv2d(4, 9, padding="valid")), ((1, 8, 8),)),
    "body/3/max_pool2d": (
        lambda: image(repeat(L.max_pool2d(2), times=integer(1, 5))),
        ((1, 1, 1),),
    ),
    "output": (lambda: image(L.conv2d(4), L.output(2)), ((4, 8, 8),)),
    "parallel": (lambda: image(parallel([L.conv2d(4), L.conv2d(8)])), ((4, 8, 8), (8, 8, 8))),
    "residual": (lambda: image(residual(L.conv2d(4))), ((4, 8, 8), (1, 8, 8))),
    "choice/attention": (lambda: chain(choice(L.relu(), L.attention(3))), ((4,),)),
    "embedding": (lambda: chain(L.embedding(9, 2)), ((4,),)),
}


@pytest.mark.parametrize("path", SHAPES)
def test_impossible_shape_is_refused_with_path_and_shapes(path: str) -> None:
    make, shapes = SHAPES[path]
    with pytest.raises(ShapeError) as caught:
        make()
    assert caught.value.path == path
    assert caught.value.shapes == shapes
    for shape in shapes:
        assert str(shape) in str(caught.value)


def test_shape_error_in_a_member_names_its_decisions() -> None:
    with pytest.raises(ShapeError, match=r"in the member with body/times=5"):
        image(repeat(L.max_pool2d(2), times=integer(1, 5)))


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("widht > 9", "did you mean 'width'"),
        ("params + 1", "expected a comparison"),
        (3, "a constraint is a text such as"),
        (WIDTH, "a constraint is a text such as"),
    ],
)
def test_constraint_that_cannot_be_read_is_refused(constraint: object, message: str) -> None:
    with pytest.raises((ConstraintError, SpaceError), match=message.replace("+", r"\+")):
        chain(L.dense(WIDTH), constraints=[constraint])


def test_constraint_on_figures_needs_layers() -> None:
    with pytest.raises(ConstraintError, match="no layers to count"):
        SearchSpace(decisions={"a": choice(1, 2)}, constraints="params < 9")


def test_thousand_rejected_draws_in_a_row_name_the_constraint() -> None:
    asked = []

    def never(architecture: object) -> bool:
        asked.append(architecture)
        return False

    space = chain(L.dense(WIDTH), constraints=["width > 1", never])
    rng = np.random.Generator(np.random.PCG64(1))
    with pytest.raises(ConstraintError, match=r"never.*1,000 draws in a row") as caught:
        space.sample(rng)
    assert "never" in caught.value.constraint
    assert len(asked) == 1000
    with pytest.raises(ConstraintError, match=r"'width > 9' rejected 1,000"):
        chain(L.dense(WIDTH), constraints="width > 9").sample(rng)


@pytest.fixture(scope="module")
def ranged() -> SearchSpace:
    return chain(
        repeat(L.dense(choice(4, 8)), times=integer(1, 2)),
        L.output(2),
        hyper={"lr": real(1e-3, 1, log=True)},
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"body/1/dense/units": 4}, "body/1/dense/units: 4 is given for a decision that is not"),
        ({"body/0/dense/unit": 4}, "did you mean 'body/0/dense/units'"),
        ({"body/0/dense/units": 5}, "5 is none of 4, 8"),
        ({"hyper/lr": 5}, "5 is not a number from 0.001 to 1.0"),
        ({"body/times": 2.0}, "2.0 is not a whole number"),
    ],
)
def test_member_with_wrong_values_is_refused(
    ranged: SearchSpace, values: dict[str, object], message: str
) -> None:
    with pytest.raises(SpaceError) as caught:
        ranged.member(values)
    assert message in str(caught.value)
    verdict = ranged.contains(values)
    assert not verdict and message in verdict.reason


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ((1, 0), "4 decisions; the vector has 2"),
        ((1, 0, 1, 0.1), "not active here: it is active when body/times > 1"),
        ((3, 0, None, 0.1), "body/times: 3 is no code"),
        ((2, 0, None, 0.1), "body/1/dense/units: the decision is active here and has no code"),
        (("x", 0, None, 0.1), "'x' is no code"),
        ((1, 0, None, True), "True is no code"),
        ((1, 0, None, math.nan), "nan is no code"),
    ],
)
def test_vector_of_no_member_is_refused(
    ranged: SearchSpace, vector: tuple[int, ...], message: str
) -> None:
    with pytest.raises(SpaceError) as caught:
        ranged.architecture(vector)
    assert message in str(caught.value)
    assert message in ranged.contains(vector).reason


def test_whole_number_for_a_real_is_the_same_point(ranged: SearchSpace) -> None:
    one, other = ranged.architecture((1, 0, None, 1)), ranged.architecture((1, 0, None, 1.0))
    assert one.vector == other.vector and one.point_id == other.point_id
