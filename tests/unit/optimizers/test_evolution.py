from __future__ import annotations

from morphml.optimizers import (
    Answered,
    Asked,
    Cancelled,
    GeneticAlgorithm,
    Optimizer,
    Proposal,
    RegularizedEvolution,
    Told,
)
from morphml.seeds import generator
from morphml.testing.example_spaces import flat_space
from morphml.testing.playing import Plan, Play

SPACE = flat_space()


def tell(
    optimizer: Optimizer, number: int, *values: float, vector: int = 0, violation: float = 0.0
) -> None:
    """Let trial ``number`` be asked and told; no values mean that it failed."""
    draw = SPACE.sample(generator(vector, number, "vector"))
    optimizer.observe(Asked(number=number, architecture=draw))
    optimizer.observe(Told(number=number, values=values or None, violation=violation))


def parents(optimizer: Optimizer, asks: int = 40) -> set[tuple[int, ...]]:
    return {optimizer.ask(99, generator(0, n, "ask")).parents for n in range(asks)}


def evolution(members: int = 3, sample: int = 50) -> RegularizedEvolution:
    return RegularizedEvolution(SPACE, population_size=members, sample_size=sample)


def test_first_trials_are_random_draws_until_the_population_was_asked() -> None:
    optimizer = evolution(members=3)
    for number in range(3):
        assert parents(optimizer) == {()}
        tell(optimizer, number, float(number))
    assert parents(optimizer) == {(0,)}


def test_child_differs_from_its_parent_in_one_decision() -> None:
    optimizer = evolution(members=2)
    tell(optimizer, 0, 0.0)
    tell(optimizer, 1, 1.0)
    parent = SPACE.sample(generator(0, 0, "vector")).vector
    for n in range(20):
        child = optimizer.ask(2, generator(0, n, "ask")).architecture.vector
        assert sum(a != b for a, b in zip(parent, child, strict=True)) == 1


def test_oldest_member_dies_even_when_it_is_the_best() -> None:
    optimizer = evolution(members=3)
    for number, value in enumerate((0.0, 5.0, 4.0, 6.0)):
        tell(optimizer, number, value)
    assert parents(optimizer) == {(2,)}


def test_failed_trial_takes_nobodys_place() -> None:
    optimizer = evolution(members=2)
    tell(optimizer, 0, 3.0)
    tell(optimizer, 1, 4.0)
    for number in range(2, 9):
        tell(optimizer, number)
    assert parents(optimizer) == {(0,)}


def test_violating_trial_loses_to_any_feasible_one() -> None:
    optimizer = evolution(members=2)
    tell(optimizer, 0, 0.0, violation=0.1)
    tell(optimizer, 1, 9.0)
    assert parents(optimizer) == {(1,)}


def test_duplicate_makes_its_source_young_again() -> None:
    optimizer = evolution(members=3)
    for number, value in enumerate((0.0, 5.0, 4.0)):
        tell(optimizer, number, value)
    again = SPACE.sample(generator(0, 0, "vector"))
    optimizer.observe(Answered(architecture=again, source=0, values=(0.0,)))
    tell(optimizer, 3, 6.0)
    tell(optimizer, 4, 7.0)
    assert parents(optimizer) == {(0,)}
    tell(optimizer, 5, 8.0)
    assert parents(optimizer) == {(3,)}


def test_duplicate_of_a_pending_or_failed_trial_teaches_nothing() -> None:
    optimizer = evolution(members=2)
    tell(optimizer, 0, 1.0)
    tell(optimizer, 1, 2.0)
    for _ in range(5):
        again = SPACE.sample(generator(0, 7, "vector"))
        optimizer.observe(Answered(architecture=again, source=7, values=None))
    assert parents(optimizer) == {(0,)}


def test_result_known_from_elsewhere_has_no_number_as_parent() -> None:
    optimizer = evolution(members=2)
    tell(optimizer, 0, 5.0)
    tell(optimizer, 1, 5.0)
    known = SPACE.sample(generator(3, 3, "vector"))
    optimizer.observe(Answered(architecture=known, source=None, values=(0.0,)))
    assert parents(optimizer) == {()}
    child = optimizer.ask(2, generator(0, 0, "ask")).architecture.vector
    assert sum(a != b for a, b in zip(known.vector, child, strict=True)) == 1


def test_result_known_from_elsewhere_and_repeated_stays_one_member() -> None:
    optimizer = evolution(members=3)
    tell(optimizer, 0, 1.0)
    known = SPACE.sample(generator(3, 3, "vector"))
    for _ in range(5):
        optimizer.observe(Answered(architecture=known, source=None, values=(0.0,)))
    other = SPACE.sample(generator(4, 4, "vector"))
    optimizer.observe(Answered(architecture=other, source=None, values=(3.0,)))
    found = [(member.number, member.result.values) for member in optimizer._population.members]
    assert found == [(0, (1.0,)), (None, (0.0,)), (None, (3.0,))]


def test_cancelled_trial_leaves_no_trace() -> None:
    optimizer = evolution(members=2)
    tell(optimizer, 0, 1.0)
    draw = SPACE.sample(generator(0, 1, "vector"))
    optimizer.observe(Asked(number=1, architecture=draw))
    optimizer.observe(Cancelled(number=1))
    assert parents(optimizer) == {(0,)}


def test_tournament_of_several_objectives_is_won_by_one_that_nobody_dominates() -> None:
    optimizer = evolution(members=3)
    tell(optimizer, 0, 1.0, 3.0)
    tell(optimizer, 1, 3.0, 1.0)
    tell(optimizer, 2, 3.0, 3.0)
    assert parents(optimizer) == {(0,), (1,)}


def test_small_samples_let_worse_members_breed() -> None:
    optimizer = evolution(members=3, sample=1)
    for number in range(3):
        tell(optimizer, number, float(number))
    assert parents(optimizer) == {(0,), (1,), (2,)}


def genetic(**settings: int | float | str) -> GeneticAlgorithm:
    return GeneticAlgorithm(SPACE, **settings)


def children(optimizer: Optimizer, asks: int = 200) -> list[Proposal]:
    return [optimizer.ask(99, generator(1, n, "ask")) for n in range(asks)]


def test_offspring_of_the_genetic_algorithm_are_evaluated() -> None:
    plan = Plan(trials=100, pending=4)
    play = Play(genetic(population_size=10, elitism=2), SPACE, plan).run()
    asked = {event.number: event for event in play.log if isinstance(event, Asked)}
    told = {event.number for event in play.log if isinstance(event, Told)}
    offspring = [number for number, event in asked.items() if event.parents]
    assert len(offspring) > 60
    assert set(offspring) <= told
    generations = {0: 0}
    for number, event in asked.items():
        generations[number] = 1 + max((generations[p] for p in event.parents), default=-1)
    assert max(generations.values()) >= 4


def test_share_of_children_with_two_parents_is_the_crossover_rate() -> None:
    optimizer = genetic(population_size=20, crossover_rate=0.7, elitism=0)
    for number in range(20):
        tell(optimizer, number, float(number))
    pairs = sum(len(child.parents) == 2 for child in children(optimizer, 400))
    assert 0.6 < pairs / 400 < 0.8


def test_adaptive_rates_leave_the_best_parent_alone_and_mix_the_worse_half() -> None:
    optimizer = genetic(
        population_size=21, crossover_rate=0.8, elitism=0, rates="adaptive", selection="rank"
    )
    for number in range(21):
        tell(optimizer, number, float(number))
    asked, pairs = [0] * 21, [0] * 21
    for child in children(optimizer, 1_500):
        asked[child.parents[0]] += 1
        pairs[child.parents[0]] += len(child.parents) == 2
    assert asked[0] > 80
    assert pairs[0] == 0
    assert 0.3 < sum(pairs[4:7]) / sum(asked[4:7]) < 0.5
    assert 0.7 < sum(pairs[10:]) / sum(asked[10:]) < 0.9


def test_unmutated_child_has_every_decision_from_a_parent() -> None:
    optimizer = genetic(population_size=20, crossover_rate=1.0, mutation_rate=0.0, elitism=0)
    for number in range(20):
        tell(optimizer, number, float(number))
    inherited = 0
    for child in children(optimizer):
        first, second = (SPACE.sample(generator(0, p, "vector")).vector for p in child.parents)
        vector = child.architecture.vector
        assert vector not in (first, second)
        inherited += all(c in pair for c, *pair in zip(vector, first, second, strict=True))
    # Copies of a parent are mutated: with random parents that are few.
    assert inherited > 150


def test_elite_lives_on_and_the_others_age() -> None:
    optimizer = genetic(population_size=4, elitism=1, crossover_rate=0.0, tournament_size=50)
    tell(optimizer, 0, 0.0)
    for number in range(1, 12):
        tell(optimizer, number, float(number))
    assert {child.parents for child in children(optimizer, 50)} == {(0,)}
    ageing = genetic(population_size=4, elitism=0, crossover_rate=0.0, tournament_size=50)
    tell(ageing, 0, 0.0)
    for number in range(1, 12):
        tell(ageing, number, float(number))
    assert {child.parents for child in children(ageing, 50)} == {(8,)}


def test_selection_of_several_objectives_prefers_the_first_front_and_its_lonely_members() -> None:
    optimizer = genetic(population_size=6, elitism=0, crossover_rate=0.0, tournament_size=50)
    fronts = [(0.0, 9.0), (9.0, 0.0), (1.0, 8.5), (1.1, 8.4), (9.5, 9.5), (9.6, 9.6)]
    for number, values in enumerate(fronts):
        tell(optimizer, number, *values)
    assert {child.parents for child in children(optimizer, 50)} == {(0,)}
    order = [member.number for member in optimizer._population.best_first()]
    assert set(order[:2]) == {0, 1}
    assert order[4:] == [4, 5]
