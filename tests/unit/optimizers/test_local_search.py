from __future__ import annotations

from morphml.optimizers import Answered, Asked, LocalSearch, Rejected, Told
from morphml.seeds import generator
from morphml.space import Architecture
from morphml.testing.example_spaces import flat_space
from morphml.testing.playing import Plan, Play, score

SPACE = flat_space(decisions=4, options=3)
NEIGHBOURS = 8
#: With this seed a restart lands away from all that was tried; beside it, the climb would walk back
#: over known ground at once, as `test_known_better_neighbour_...` shows.
SEED = 1


class Climb:
    """A search driven by hand."""

    def __init__(self, **settings: int) -> None:
        self.search = LocalSearch(SPACE, **{"starts": 1, **settings})
        self.number = 0

    def ask(self) -> tuple[int, Architecture, tuple[int, ...]]:
        number = self.number
        proposal = self.search.ask(number, generator(SEED, number, "ask"))
        asked = Asked(number=number, architecture=proposal.architecture, parents=proposal.parents)
        self.search.observe(asked)
        self.number += 1
        return number, proposal.architecture, proposal.parents

    def tell(self, number: int, *values: float) -> None:
        self.search.observe(Told(number=number, values=values or None))

    def step(self, value: float | None) -> tuple[Architecture, tuple[int, ...]]:
        number, architecture, parents = self.ask()
        self.tell(number, *([] if value is None else [value]))
        return architecture, parents


def distance(a: Architecture, b: Architecture) -> int:
    return sum(x != y for x, y in zip(a.vector, b.vector, strict=True))


def test_neighbours_of_the_start_are_tried_once_each_and_then_it_restarts() -> None:
    climb = Climb()
    start, _ = climb.step(0.0)
    tried = [climb.step(1.0) for _ in range(NEIGHBOURS)]
    assert all(distance(start, architecture) == 1 for architecture, _ in tried)
    assert {parents for _, parents in tried} == {(0,)}
    assert len({architecture.vector for architecture, _ in tried}) == NEIGHBOURS
    restart, parents = climb.step(5.0)
    assert parents == ()
    assert restart.vector not in {architecture.vector for architecture, _ in tried}
    assert climb.step(6.0)[1] == (NEIGHBOURS + 1,)


def test_better_neighbour_becomes_the_centre_at_once() -> None:
    climb = Climb()
    climb.step(5.0)
    better, _ = climb.step(4.0)
    following, parents = climb.step(9.0)
    assert (parents, distance(better, following)) == ((1,), 1)


def test_failed_neighbour_is_neither_centre_nor_tried_again() -> None:
    climb = Climb()
    climb.step(5.0)
    tried = [climb.step(None) for _ in range(NEIGHBOURS)]
    assert {parents for _, parents in tried} == {(0,)}
    assert len({architecture.vector for architecture, _ in tried}) == NEIGHBOURS
    assert climb.step(1.0)[1] == ()


def test_rejected_neighbour_is_not_tried_again() -> None:
    climb = Climb()
    climb.step(5.0)
    rejected = set()
    for attempt in range(NEIGHBOURS):
        proposal = climb.search.ask(1, generator(1, attempt, "ask"))
        assert proposal.parents == (0,)
        rejected.add(proposal.architecture.vector)
        climb.search.observe(Rejected(architecture=proposal.architecture, constraint="params <= 1"))
    assert len(rejected) == NEIGHBOURS
    assert climb.ask()[2] == ()


def test_free_slots_try_random_points_while_all_neighbours_run() -> None:
    climb = Climb()
    climb.step(5.0)
    asked = [climb.ask() for _ in range(NEIGHBOURS + 5)]
    assert [parents for _, _, parents in asked] == [(0,)] * NEIGHBOURS + [()] * 5
    assert len({architecture.vector for _, architecture, _ in asked}) == NEIGHBOURS + 5
    lonely, architecture, _ = asked[-1]
    climb.tell(lonely, 1.0)
    assert distance(climb.ask()[1], architecture) == 1


def test_worse_random_point_waits_until_the_climb_is_over() -> None:
    climb = Climb()
    climb.step(5.0)
    asked = [climb.ask() for _ in range(NEIGHBOURS + 2)]
    climb.tell(asked[-1][0], 7.0)
    assert climb.ask()[2] == ()
    for number, _, _ in asked[:NEIGHBOURS]:
        climb.tell(number, 6.0)
    climb.tell(asked[-2][0], 8.0)
    assert climb.ask()[2] == (asked[-2][0],)


def test_known_better_neighbour_is_walked_to_without_an_evaluation() -> None:
    climb = Climb()
    start, _ = climb.step(5.0)
    best = next(iter(SPACE.neighbours(start)))
    bridge = next(n for n in SPACE.neighbours(best) if distance(n, start) == 2)
    climb.search.observe(Answered(architecture=bridge, source=None, values=(9.0,)))
    climb.search.observe(Answered(architecture=best, source=None, values=(1.0,)))
    architecture, parents = climb.step(6.0)
    assert (distance(architecture, best), parents) == (1, ())
    assert architecture.vector != bridge.vector


def test_first_climb_starts_from_the_best_of_several_starts() -> None:
    climb = Climb(starts=4)
    values = (5.0, 2.0, 3.0, 4.0)
    assert [climb.step(value)[1] for value in values] == [()] * 4
    assert climb.step(9.0)[1] == (1,)


def test_several_objectives_climb_by_dominance() -> None:
    climb = Climb()
    number, _, _ = climb.ask()
    climb.tell(number, 5.0, 5.0)
    number, _, _ = climb.ask()
    climb.tell(number, 4.0, 6.0)
    assert climb.ask()[2] == (0,)
    number, _, _ = climb.ask()
    climb.tell(number, 5.0, 4.0)
    assert climb.ask()[2] == (number,)


def test_search_finds_the_optimum_of_a_smooth_problem_without_wasted_trials() -> None:
    space = flat_space()
    play = Play(LocalSearch(space), space, Plan(trials=120)).run()
    vectors = [proposal.architecture.vector for proposal in play.proposals]
    assert len(set(vectors)) == len(vectors) == 120
    best = min(score(proposal.architecture)[0] for proposal in play.proposals)
    every = (space.sample(generator(0, n, "all")) for n in range(3_000))
    assert best <= min(score(architecture)[0] for architecture in every)
