"""What must hold in every space: for each kind of space of the zoo, whatever is drawn."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morphml.space import Architecture, SearchSpace
from morphml.space.table import Single

FIXED = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@FIXED
@given(seed=st.integers(0, 2**32))
def test_sampled_member_is_contained_and_survives_encode_and_decode(
    space: SearchSpace, seed: int
) -> None:
    member = space.sample(rng(seed))
    assert space.contains(member) and space.contains(member.decisions)
    assert space.member(member.decisions).vector == member.vector
    places = space.encode(member)
    assert places.shape == (len(space.decisions),) and places.dtype == np.float64
    assert ((places >= 0) & (places <= 1)).all()
    again = space.decode(places)
    assert again.vector == member.vector and again.graph_id == member.graph_id
    assert space.sample(rng(seed)) == member


@FIXED
@given(data=st.data())
def test_decode_makes_a_member_of_any_places(space: SearchSpace, data: st.DataObject) -> None:
    size = len(space.decisions)
    places = data.draw(st.lists(st.floats(0, 1), min_size=size, max_size=size))
    member = space.decode(places)
    verdict = space.contains(member)
    assert verdict or "constraint" in verdict.reason


@FIXED
@given(seed=st.integers(0, 2**32))
def test_mutation_and_crossover_give_other_members(space: SearchSpace, seed: int) -> None:
    source = rng(seed)
    one, other = space.sample(source), space.sample(source)
    for _ in range(3):
        child = space.mutate(one, source)
        assert space.contains(child), (one, child)
        assert child.vector != one.vector
        mixed = space.crossover(child, other, source)
        assert space.contains(mixed), (child, other, mixed)
        assert mixed.vector not in (child.vector, other.vector)
        one = mixed


@FIXED
@given(seed=st.integers(0, 2**32))
def test_neighbours_are_distinct_members_one_decision_away(space: SearchSpace, seed: int) -> None:
    member = space.sample(rng(seed))
    found = list(itertools.islice(space.neighbours(member), 40))
    assert found
    assert len({n.vector for n in found}) == len(found)
    for neighbour in found[:10]:
        assert space.contains(neighbour)
        assert space.diff(member, neighbour)


def test_repr_is_read_back_as_an_equal_space(space: SearchSpace) -> None:
    again = SearchSpace.from_text(repr(space))
    assert again == space and hash(again) == hash(space) and repr(again) == repr(space)
    assert again.digest == space.digest
    assert again.decisions == space.decisions
    assert SearchSpace.from_json(space.to_json()) == space
    member = space.sample(rng(5))
    assert again.architecture(member.vector).point_id == member.point_id


def test_space_and_member_survive_pickling(space: SearchSpace) -> None:
    member = space.sample(rng(3))
    again = pickle.loads(pickle.dumps(member))
    assert again == member and again.space == space
    assert again.point_id == member.point_id


def test_size_counts_the_members_that_listing_finds(small: SearchSpace) -> None:
    vectors = {member.vector for member in small.members()}
    size = small.size
    assert not size.estimated
    assert int(size) == len(vectors) == size.low == size.high
    assert all(small.contains(Architecture(small, v)) for v in itertools.islice(vectors, 60))


def test_every_member_can_be_drawn_and_reached_by_mutation(spaces: dict[str, SearchSpace]) -> None:
    for name in ("plain", "tied", "named", "dependent", "free", "limited_cell", "constrained"):
        space = spaces[name]
        every = {member.vector for member in space.members()}
        source = rng(1)
        draws = min(40 * len(every), 12_000)
        drawn = {space.sample(source).vector for _ in range(draws)}
        assert drawn <= every
        assert len(drawn) > 0.95 * len(every), name
        if len(every) < 500:
            walker = space.default()
            seen = set()
            for _ in range(draws):
                walker = space.mutate(walker, source)
                seen.add(walker.vector)
            assert len(seen) > 0.95 * len(every), name


def test_default_is_the_member_of_all_defaults(space: SearchSpace) -> None:
    start = space.default()
    assert space.contains(start)
    for index, (decision, code) in enumerate(zip(space.decisions, start.vector, strict=True)):
        in_a_graph = not isinstance(space.compiled.table.owner[index], Single)
        assert code is None or decision.dependent or in_a_graph or code == decision.default


def test_paths_are_unique(space: SearchSpace) -> None:
    paths = [decision.path for decision in space.decisions]
    assert len(set(paths)) == len(paths)
