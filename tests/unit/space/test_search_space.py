"""The questions a space answers beside those every member must pass: text, size, ids, identity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from morphml import layers as L
from morphml.errors import ConstraintError, SpaceError
from morphml.space import (
    Architecture,
    Code,
    Input,
    SearchSpace,
    choice,
    integer,
    real,
    ref,
    repeat,
)

EXAMPLE = """\
SearchSpace(
    input=(1, 28, 28),
    layers=[
        repeat(
            conv2d(filters=choice(16, 32, 64), kernel_size=choice(3, 5)),
            choice(relu(), gelu()),
            optional(max_pool2d()),
            times=integer(1, 4),
        ),
        flatten(),
        dense(units=choice(64, 128, 256)),
        output(units=10),
    ],
    hyper={'lr': real(0.0001, 0.1, log=True)},
)"""


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_repr_is_the_python_form_laid_out() -> None:
    space = SearchSpace.from_text(EXAMPLE)
    assert repr(space) == space.to_text() == EXAMPLE
    assert len(space.decisions) == 19
    assert space.digest == "de82f4ce6f6d11269bea370d30d4791e"


def test_decisions_used_more_than_once_are_written_first() -> None:
    depth = integer(1, 3, name="depth")
    width = choice(depth * 4, 8, name="width")
    relu = choice(1, 2, name="relu")
    space = SearchSpace(
        input=(4,),
        layers=[L.dense(width), L.dense(width + depth), L.dense(relu), L.dense(relu)],
        constraints=[width > 1, "depth > 0"],
    )
    assert repr(space) == "\n".join(
        [
            "depth = integer(1, 3, name='depth')",
            "width = choice(depth * 4, 8, name='width')",
            "SearchSpace(",
            "    input=(4,),",
            "    layers=[",
            "        dense(units=width),",
            "        dense(units=width + depth),",
            "        dense(units=choice(1, 2, name='relu')),",
            "        dense(units=choice(1, 2, name='relu')),",
            "    ],",
            "    constraints=[width > 1, 'depth > 0'],",
            ")",
        ]
    )
    assert SearchSpace.from_text(repr(space)) == space


def test_equality_is_that_of_the_writing() -> None:
    one = SearchSpace(input=(4,), layers=[L.dense(choice(1, 2), bias=True)])
    same = SearchSpace(inputs={"input": Input((4,))}, layers=(L.dense(units=choice(1, 2)),))
    other = SearchSpace(input=(4,), layers=[L.dense(choice(2, 1))])
    assert one == same and hash(one) == hash(same) and one.digest == same.digest
    assert one != other and one != "space" and len({one, same, other}) == 2


def test_values_of_the_language_compare_and_hash_by_their_form() -> None:
    assert L.dense(choice(1, 2)) == L.dense(choice(1, 2))
    assert L.dense(choice(1, 2)) != L.dense(choice(2, 1))
    assert bool(choice(1, 2) == choice(1, 2)) and bool(choice(1, 2) != choice(1, 3))
    assert len({choice(1, 2), choice(1, 2), choice(1, 2, name="a"), integer(1, 2)}) == 3
    assert L.conv2d(8, (3, 3)) != L.conv2d(8, 3)


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (SearchSpace(decisions={"a": choice(1, 2), "b": integer(0, 9)}), 20),
        (SearchSpace(decisions={"a": real(0, 1), "b": integer(0, 9)}), math.inf),
        (SearchSpace(decisions={"a": choice(0, real(0, 1))}), math.inf),
        (SearchSpace(decisions={"a": 3}), 1),
    ],
)
def test_size_without_constraints_is_exact(space: SearchSpace, size: float) -> None:
    assert space.size.value == size and not space.size.estimated
    assert str(space.size) == ("infinite" if math.isinf(size) else f"{size}")


def test_size_of_a_large_space_is_exact() -> None:
    body = (L.dense(choice(*range(1, 11))), L.dense(choice(*range(1, 11))))
    space = SearchSpace(input=(4,), layers=[repeat(*body, times=integer(1, 20))])
    assert int(space.size) == sum(100**n for n in range(1, 21))
    assert str(space.size) == "1.01e+40"


def test_size_of_nested_counts_is_exact() -> None:
    inner = repeat(L.dense(choice(4, 8)), times=integer(1, 10))
    space = SearchSpace(input=(4,), layers=[repeat(inner, times=integer(0, 60))])
    one = sum(2**n for n in range(1, 11))
    assert int(space.size) == sum(one**n for n in range(61))


def test_size_with_constraints_is_counted_or_estimated() -> None:
    digits = {f"d{n}": integer(0, 9, name=f"d{n}") for n in range(5)}
    counted = SearchSpace(
        decisions={k: digits[k] for k in ("d0", "d1", "d2")}, constraints="d0 + d1 + d2 <= 4"
    )
    assert int(counted.size) == math.comb(4 + 3, 3) and not counted.size.estimated
    estimated = SearchSpace(decisions=digits, constraints="d0 < 3")
    size = estimated.size
    assert size.estimated and size.low <= 30_000 <= size.high < 40_000
    assert "estimated" in str(size) and " to " in str(size)


def test_constraints_hold_for_everything_a_space_gives() -> None:
    width = choice(*range(1, 33), name="width")

    def odd(architecture: Architecture) -> bool:
        return int(str(architecture.decisions["width"])) % 2 == 1

    space = SearchSpace(
        input=(4,),
        layers=[repeat(L.dense(width), times=integer(1, 3, name="depth"))],
        constraints=["params <= 900", (ref("depth") > 1) | (width > 4), odd],
    )
    source = rng(2)
    start = space.default()
    assert space.contains(start)
    member = start
    for _ in range(30):
        member = space.mutate(member, source)
        mixed = space.crossover(member, space.sample(source), source)
        for each in (member, mixed, *list(space.neighbours(member))[:5]):
            assert each.params <= 900
            assert odd(each)
            assert space.contains(each)
    broken = {"width": 2, "depth": 3}
    assert "odd" in space.contains(broken).reason
    with pytest.raises(ConstraintError, match="params <= 900") as caught:
        space.member({"width": 31, "depth": 3})
    assert caught.value.constraint == "params <= 900"


def test_figure_that_cannot_be_computed_names_the_constraint() -> None:
    zero = choice(0, 1, name="zero")
    space = SearchSpace(decisions={"zero": zero}, constraints="4 // zero < 9")
    with pytest.raises(ConstraintError, match=r"'4 // zero < 9' cannot be computed"):
        space.architecture((0,))
        space.member({"zero": 0})


def test_contains_judges_members_of_other_spaces_by_their_values() -> None:
    wide = SearchSpace(input=(4,), layers=[L.dense(choice(8, 16, 32))])
    narrow = SearchSpace(input=(4,), layers=[L.dense(choice(16, 8))])
    assert narrow.contains(wide.member({"dense/units": 16}))
    verdict = narrow.contains(wide.member({"dense/units": 32}))
    assert not verdict and "32 is none of 16, 8" in verdict.reason
    other = SearchSpace(input=(4,), layers=[L.dense(8)], hyper={"lr": choice(1, 2)})
    assert not wide.contains(other.default())


def test_diff_lists_paths_and_values() -> None:
    space = SearchSpace.from_text(EXAMPLE)
    one = space.member({"body/times": 1, "body/0/choice": "gelu"})
    other = space.member({"body/times": 2, "dense/units": 256})
    found = {d.path: (d.left, d.right) for d in space.diff(one, other)}
    assert found == {
        "body/times": (1, 2),
        "body/0/choice": ("gelu", "relu"),
        "body/1/conv2d/filters": (None, 16),
        "body/1/conv2d/kernel_size": (None, 3),
        "body/1/choice": (None, "relu"),
        "body/1/optional": (None, False),
        "dense/units": (64, 256),
    }
    assert str(space.diff(one, other)[0]) == "body/times: 1 -> 2"
    assert space.diff(one, one) == ()


def test_graph_id_is_the_network_and_point_id_the_hyperparameters_too() -> None:
    space = SearchSpace(
        input=(4,),
        layers=[L.dense(8), choice(L.identity(), L.dropout(0.0), L.relu())],
        hyper={"lr": choice(0.1, 0.2), "note": 3},
    )
    one = space.member({})
    again = space.member({"hyper/lr": 0.2})
    assert one.graph_id == again.graph_id and one.point_id != again.point_id
    assert one.hyper == {"lr": 0.1, "note": 3}
    bare = SearchSpace(input=(4,), layers=[L.dense(8), choice(L.identity(), L.relu())])
    assert bare.default().graph_id == bare.default().point_id == one.graph_id


def test_ids_never_change() -> None:
    member = SearchSpace.from_text(EXAMPLE).member({"body/times": 2, "hyper/lr": 0.01})
    assert member.graph_id == GRAPH_ID
    assert member.point_id == POINT_ID
    kind = SearchSpace(decisions={"kind": choice("a", "b"), "rate": real(0, 1)})
    assert kind.member({"kind": "b", "rate": 0.25}).point_id == PLAIN_POINT_ID


GRAPH_ID = "6cb48a0a37d2c5f2562ccb1cd74f5a2b"
POINT_ID = "473cd60c7fb4159ffccafb675c912f95"
PLAIN_POINT_ID = "f027e2cd7f02189cacc8e13f7125a478"


def test_escape_hatch_builds_from_values() -> None:
    space = SearchSpace(
        decisions={
            "kind": choice("sgd", "adam", name="kind"),
            "momentum": choice(0.0, 0.9, when=ref("kind") == "sgd"),
            "fixed": 7,
        },
        build=dict,
    )
    member = space.member({"kind": "adam"})
    assert member.build() == {"kind": "adam", "fixed": 7}
    assert member.graph_id is None and member.computed == {} and not space.has_graph
    with pytest.raises(SpaceError, match="no layers"):
        _ = member.graph
    by_path = SearchSpace(decisions={"a": choice(1, 2)}, build="builtins:dict")
    assert by_path.default().build() == {"a": 1}
    assert SearchSpace.from_text(repr(by_path)) == by_path
    assert repr(space).endswith("build='builtins:dict',\n)")
    missing = SearchSpace(decisions={"a": choice(1, 2)}, build="nowhere:fn")
    with pytest.raises(SpaceError, match="cannot be imported"):
        missing.default().build()


def test_computed_figures_are_those_of_the_canonical_graph() -> None:
    space = SearchSpace(input=(4,), layers=[L.dense(8), L.identity(), L.output(2)])
    member = space.default()
    assert member.params == 4 * 8 + 8 + 8 * 2 + 2
    assert member.flops == 2 * (4 * 8 + 8 * 2)
    assert member.computed == {
        "params": member.params,
        "flops": member.flops,
        "activation_bytes": member.activation_bytes,
    }
    assert len(member.graph.nodes) == 4 and len(member.canonical.nodes) == 3
    assert member.svg().startswith("<svg")


def test_member_as_json_holds_what_rebuilds_it() -> None:
    space = SearchSpace.from_text(EXAMPLE)
    member = space.sample(rng(4))
    data = member.to_json()
    vector = data["vector"]
    assert isinstance(vector, list)
    again = SearchSpace.from_text(str(data["space"])).architecture(vector)
    assert again.point_id == member.point_id == data["point_id"]


def test_decode_refuses_other_shapes_and_clips_places() -> None:
    space = SearchSpace.from_text(EXAMPLE)
    with pytest.raises(SpaceError, match=r"19 decisions; decode\(\) got \(3,\)"):
        space.decode([0, 0, 0])
    with pytest.raises(SpaceError, match="nan is no place"):
        space.decode([math.nan] * 19)
    assert space.decode([9.0] * 19).decisions["dense/units"] == 256
    assert space.decode([-9.0] * 19).decisions["hyper/lr"] == 1e-4


def test_reals_survive_encode_and_decode_in_the_graph() -> None:
    space = SearchSpace(
        input=(4,), layers=[L.dropout(real(0, 1 / 3)), L.dropout(real(1e-7, 0.7, log=True))]
    )
    source = rng(9)
    for _ in range(300):
        member = space.sample(source)
        assert space.decode(space.encode(member)).vector == member.vector
    given = space.member({"dropout/rate": 1 / 3, "dropout_2/rate": 0.123456789012345})
    assert space.decode(space.encode(given)).graph_id == given.graph_id


def test_log_scales_draw_each_decade_alike() -> None:
    space = SearchSpace(
        decisions={"lr": real(1e-4, 1, log=True), "width": integer(1, 1000, log=True)}
    )
    source = rng(3)
    members = [space.sample(source).hyper for _ in range(3000)]
    decades = [sum(1 for m in members if 10.0**-k > float(str(m["lr"])) >= 10.0 ** -(k + 1))
               for k in range(4)]  # fmt: skip
    assert min(decades) > 650 and sum(decades) == 3000
    small = sum(1 for m in members if int(str(m["width"])) <= 31)
    assert 1300 < small < 1700
    assert {m["width"] for m in members} >= set(range(1, 8))


def test_ordinal_and_categorical_decisions_are_told_apart() -> None:
    space = SearchSpace(
        decisions={
            "a": choice(1, 2.5),
            "b": choice(1, 2, ordered=False),
            "c": choice("s", "m", "l", ordered=True),
            "d": choice("s", None, True),
            "e": choice((1, 2), (3, 4), default=(3, 4)),
        }
    )
    kinds = [str(d.kind) for d in space.decisions]
    assert kinds == ["ordinal", "categorical", "ordinal", "categorical", "categorical"]
    assert space.default().hyper["e"] == (3, 4)
    assert space.member({"e": [1, 2], "d": None}).hyper["e"] == (1, 2)


def test_mutation_of_the_only_member_gives_it_back() -> None:
    space = SearchSpace(input=(4,), layers=[L.dense(3)])
    only = space.default()
    assert space.mutate(only, rng()) == only
    assert space.crossover(only, only, rng()) == only
    assert list(space.neighbours(only)) == [] and list(space.members()) == [only]


def test_long_integers_mostly_move_by_steps() -> None:
    space = SearchSpace(decisions={"n": integer(0, 10_000, default=5000)})
    source = rng(8)
    start = space.default()
    moves = [abs(int(str(space.mutate(start, source).hyper["n"])) - 5000) for _ in range(300)]
    assert min(moves) > 0 and np.median(moves) < 2500
    found = [int(str(n.hyper["n"])) for n in space.neighbours(start)]
    assert 4999 in found and 5001 in found and len(found) == 4


def test_same_seed_gives_the_same_members() -> None:
    space = SearchSpace.from_text(EXAMPLE)

    def story(seed: int) -> list[tuple[Code, ...]]:
        source = rng(seed)
        one = space.sample(source)
        return [one.vector, space.mutate(one, source).vector, space.sample(source).vector]

    assert story(1) == story(1) != story(2)
