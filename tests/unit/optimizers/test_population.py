from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from morphml.optimizers import Answered, Asked, Told
from morphml.optimizers.pareto import best_first
from morphml.optimizers.population import Population
from morphml.testing.example_spaces import tiny_space

MEMBER = tiny_space().default()
VALUE = st.integers(0, 3).map(float)
#: A result, a failure, or the number of an earlier trial that is answered again.
STEP = st.one_of(st.tuples(st.sampled_from([0.0, 1.0]), VALUE, VALUE), st.none(), st.integers(0, 9))


@given(st.lists(STEP, max_size=30), st.integers(1, 6), st.integers(0, 5), st.sampled_from([1, 2]))
def test_order_elite_and_age_hold_after_any_log(
    steps: list[tuple[float, float, float] | int | None], capacity: int, elitism: int, width: int
) -> None:
    elitism = min(elitism, capacity - 1)
    population = Population(capacity, elitism)
    told: dict[int, tuple[float, tuple[float, ...]]] = {}
    for number, step in enumerate(steps):
        before = list(population.members)
        if isinstance(step, int):
            if step not in told:
                continue
            violation, values = told[step]
            event = Answered(architecture=MEMBER, source=step, values=values, violation=violation)
            population.observe(event)
            assert population.members[-1].number == step or capacity == elitism + 1
        else:
            population.observe(Asked(number=number, architecture=MEMBER))
            values = None if step is None else step[1 : 1 + width]
            violation = 0.0 if step is None else step[0]
            population.observe(Told(number=number, values=values, violation=violation))
            if values is None:
                assert population.members == before
                continue
            told[number] = (violation, values)
        members = population.members
        order = best_first([member.result for member in members])
        assert [m.result for m in population.best_first()] == [members[p].result for p in order]
        assert sorted(map(id, population.best_first())) == sorted(map(id, members))
        assert len(members) <= capacity
        assert len({member.number for member in members}) == len(members)
    assert population.asked == sum(not isinstance(step, int) for step in steps)
