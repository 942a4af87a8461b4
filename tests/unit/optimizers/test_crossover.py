from __future__ import annotations

from collections import Counter

import pytest

from morphml import layers as L
from morphml.benchmarks import synthetic
from morphml.optimizers.crossover import CROSSOVERS, one_point, subgraph
from morphml.seeds import generator
from morphml.space import SearchSpace, choice
from morphml.testing.example_spaces import conditional_space, flat_space, tiny_space


def test_one_point_child_is_the_start_of_one_parent_and_the_end_of_the_other() -> None:
    space = flat_space(decisions=6)
    one, other = space.architecture((0,) * 6), space.architecture((1,) * 6)
    cuts = Counter()
    for n in range(300):
        vector = one_point(space, one, other, generator(0, n, "cross")).vector
        ones = vector.count(1)
        assert vector == (0,) * (6 - ones) + (1,) * ones
        cuts[ones] += 1
    assert set(cuts) == {1, 2, 3, 4, 5}
    assert min(cuts.values()) > 30


def test_subgraph_child_has_one_block_of_the_other_parent_whole() -> None:
    layer = L.dense(units=choice(4, 8), bias=choice(True, False))
    space = SearchSpace(input=(4,), layers=[layer, layer, L.output(2)], hyper={"lr": choice(1, 2)})
    one, other = space.architecture((0,) * 5), space.architecture((1,) * 5)
    taken = Counter(
        subgraph(space, one, other, generator(0, n, "cross")).vector for n in range(400)
    )
    single = [tuple(int(place == at) for place in range(5)) for at in range(5)]
    assert set(taken) == {*single, (1, 1, 0, 0, 0), (0, 0, 1, 1, 0)}
    assert min(taken.values()) > 25


def test_subgraph_child_is_no_copy_where_the_parents_differ_in_several_decisions() -> None:
    space, copies = synthetic("cnn").space, 0
    for n in range(100):
        one = space.sample(generator(1, n, "one"))
        other = space.sample(generator(2, n, "other"))
        child = subgraph(space, one, other, generator(3, n, "cross"))
        assert space.contains(child).ok
        copies += child.vector in (one.vector, other.vector)
    assert copies <= 2


@pytest.mark.parametrize("name", CROSSOVERS)
def test_child_of_conditional_parents_is_a_member_made_of_their_decisions(name: str) -> None:
    space = conditional_space()
    for n in range(100):
        one = space.sample(generator(1, n, "one"))
        other = space.sample(generator(2, n, "other"))
        child = CROSSOVERS[name](space, one, other, generator(3, n, "cross"))
        assert space.contains(child).ok
        for path, value in child.decisions.items():
            near = [p.decisions[path] for p in (one, other) if path in p.decisions]
            if name in ("one_point", "subgraph"):
                assert any(
                    value == pytest.approx(v) if isinstance(v, float) else value == v for v in near
                )


@pytest.mark.parametrize("name", CROSSOVERS)
def test_child_keeps_the_constraints_of_the_space(name: str) -> None:
    a, b = choice(0, 1, 2, name="a"), choice(0, 1, 2, name="b")
    space = SearchSpace(
        decisions={"a": a, "b": b, "c": choice(0, 1, 2)}, constraints=["a + b <= 2"]
    )
    for n in range(60):
        one = space.sample(generator(1, n, "one"))
        other = space.sample(generator(2, n, "other"))
        child = CROSSOVERS[name](space, one, other, generator(3, n, "cross"))
        assert space.contains(child).ok


@pytest.mark.parametrize("name", CROSSOVERS)
def test_equal_parents_in_a_space_of_one_have_that_one_as_child(name: str) -> None:
    space = tiny_space(1)
    only = space.default()
    assert CROSSOVERS[name](space, only, only, generator(0, 0, "cross")).vector == only.vector
