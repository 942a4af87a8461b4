"""What differential evolution, particle swarm, annealing and NSGA-II do with what they are told."""

from __future__ import annotations

import numpy as np
import pytest

from morphml.errors import OptimizerError
from morphml.optimizers import (
    Asked,
    DifferentialEvolution,
    Nsga2,
    Optimizer,
    ParticleSwarm,
    SimulatedAnnealing,
    Told,
)
from morphml.seeds import generator
from morphml.space import SearchSpace, choice, real
from morphml.testing.example_spaces import flat_space


def bowl(decisions: int = 3) -> SearchSpace:
    return SearchSpace(decisions={f"x{i}": real(0.0, 1.0) for i in range(decisions)})


def best_after(optimizer: Optimizer, trials: int, seed: int = 0) -> float:
    """The least squared distance from (0.7, 0.7, ...) that a search finds, one trial at a time."""
    best = float("inf")
    for number in range(trials):
        proposal = optimizer.ask(number, generator(seed, number, "ask"))
        architecture = proposal.architecture
        optimizer.observe(
            Asked(
                number=number,
                architecture=architecture,
                parents=proposal.parents,
                note=proposal.note,
            )
        )
        value = sum((float(x) - 0.7) ** 2 for x in architecture.vector if x is not None)
        optimizer.observe(Told(number=number, values=(value,)))
        best = min(best, value)
    return best


@pytest.mark.parametrize("kind", [DifferentialEvolution, ParticleSwarm])
def test_swarms_find_the_bottom_of_a_bowl(kind: type) -> None:
    found = [best_after(kind(bowl()), 300, seed) for seed in range(3)]
    assert max(found) < 1e-3  # a random search of as many trials finds 0.01 or so


def test_particle_swarm_refuses_more_decisions_than_a_note_can_hold() -> None:
    with pytest.raises(OptimizerError, match="at most 700 decisions"):
        ParticleSwarm(bowl(701))


def test_particle_flies_on_from_where_its_note_says() -> None:
    swarm = ParticleSwarm(bowl(1), particles=2)
    draw = swarm.space.architecture([0.5])
    first = swarm.ask(0, generator(0, 0, "ask"))
    assert first.note is not None
    assert first.note["particle"] == 0
    swarm.observe(Asked(number=0, architecture=draw, note=first.note))
    swarm.observe(Told(number=0, values=(1.0,)))
    onwards = swarm.ask(2, generator(0, 2, "ask"))
    assert onwards.note is not None
    assert onwards.note["particle"] == 0
    assert onwards.parents == (0,)


def test_place_is_taken_by_whoever_is_not_worse() -> None:
    evolution = DifferentialEvolution(bowl(1), population_size=4)
    for number, value in enumerate((4.0, 3.0, 2.0, 1.0, 4.0)):
        architecture = evolution.space.architecture([0.1 * (number + 1)])
        note = {"place": number % 4}
        evolution.observe(Asked(number=number, architecture=architecture, note=note))
        evolution.observe(Told(number=number, values=(value,)))
    # Trial 4 is as good as trial 0 and stands in its place now, so trial 0 has no more children.
    parents = {p for n in range(5, 60) for p in evolution.ask(n, generator(1, n, "ask")).parents}
    assert parents == {1, 2, 3, 4}


def walk(luck: float, worse_by: float) -> tuple[int, ...]:
    """Parents of the next proposal after one result that is worse than where the walk stands."""
    annealing = SimulatedAnnealing(flat_space(), starts=2, temperature=1.0, half_life=1_000)
    for number, value in enumerate((0.0, 2.0)):
        architecture = annealing.space.sample(np.random.default_rng(number))
        annealing.observe(Asked(number=number, architecture=architecture))
        annealing.observe(Told(number=number, values=(value,)))
    child = annealing.ask(2, generator(0, 2, "ask"))
    assert child.parents == (0,)
    annealing.observe(
        Asked(number=2, architecture=child.architecture, parents=(0,), note={"luck": luck})
    )
    annealing.observe(Told(number=2, values=(worse_by,)))
    return annealing.ask(3, generator(0, 3, "ask")).parents


def test_worse_neighbours_are_walked_to_with_luck_only() -> None:
    assert walk(luck=0.01, worse_by=1.0) == (2,)
    assert walk(luck=0.99, worse_by=1.0) == (0,)
    assert walk(luck=0.99, worse_by=-1.0) == (2,)


def test_cold_walk_takes_no_worse_neighbour_and_returns_to_the_best() -> None:
    annealing = SimulatedAnnealing(flat_space(), starts=1, temperature=0.0, patience=5)
    parents = []
    for number in range(30):
        proposal = annealing.ask(number, generator(0, number, "ask"))
        parents.append(proposal.parents)
        annealing.observe(
            Asked(number=number, architecture=proposal.architecture, note=proposal.note)
        )
        annealing.observe(Told(number=number, values=(float(number),)))
    assert set(parents[1:]) == {(0,)}


def test_crowded_member_leaves_the_front_first() -> None:
    search = Nsga2(flat_space(), population_size=3, starts=1)
    front = [(0.0, 3.0), (3.0, 0.0), (1.4, 1.6), (1.5, 1.5)]
    for number, values in enumerate(front):
        architecture = search.space.sample(np.random.default_rng(number))
        search.observe(Asked(number=number, architecture=architecture))
        search.observe(Told(number=number, values=values))
    parents = {p for n in range(4, 200) for p in search.ask(n, generator(0, n, "ask")).parents}
    assert {0, 1} < parents
    assert len(parents) == 3


def test_feasible_members_live_longer_than_better_ones_that_violate() -> None:
    search = Nsga2(SearchSpace(decisions={"x": choice(*range(50))}), population_size=2, starts=1)
    for number, (value, violation) in enumerate([(1.0, 5.0), (2.0, 0.0), (3.0, 0.0)]):
        architecture = search.space.architecture([number])
        search.observe(Asked(number=number, architecture=architecture))
        search.observe(Told(number=number, values=(value,), violation=violation))
    parents = {p for n in range(3, 60) for p in search.ask(n, generator(0, n, "ask")).parents}
    assert parents == {1, 2}
