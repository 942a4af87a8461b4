"""What a model is fitted to, what it knows at an ask, and what it is asked about."""

from __future__ import annotations

import numpy as np
import pytest

from morphml.optimizers.events import Asked, Told
from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.optimizers.seen_points import SeenPoints, point_key
from morphml.optimizers.surrogate.candidates import DRAWS, MUTANTS, PARENTS, SECOND, Candidates
from morphml.optimizers.surrogate.ensemble import EnsembleRegression
from morphml.optimizers.surrogate.guide import Guide, GuideSettings
from morphml.optimizers.surrogate.points import Floats, Points
from morphml.optimizers.surrogate.regression import Known
from morphml.seeds import generator
from morphml.space import SearchSpace, integer
from morphml.testing.example_spaces import flat_space

#: One decision, so that a row of places tells the trial: number n has the code n.
LINE = SearchSpace(decisions={"n": integer(0, 9_999)})


class Mean:
    """A model that knows the mean, and writes down what it was given."""

    def __init__(self) -> None:
        self.fitted: list[int] = []
        self.known: list[list[int]] = []

    def fit(self, points: Points, targets: Floats) -> Mean:
        self.fitted.append(len(points))
        assert len(points) == len(targets)
        return self

    def predict(self, known: Known, candidates: Points) -> tuple[Floats, Floats]:
        assert len(known.points) == len(known.targets)
        self.known.append(np.rint(known.points.numeric[:, 0] * 10_000 - 0.5).astype(int).tolist())
        return np.zeros(len(candidates)), np.ones(len(candidates))


def tell(guide: Guide, number: int, *values: float) -> None:
    guide.observe(Asked(number=number, architecture=LINE.architecture((number,))))
    guide.observe(Told(number=number, values=values))


def asked(window: int) -> tuple[Guide, Mean]:
    model = Mean()
    settings = GuideSettings(starts=2, acquisition="ei", window=window)
    return Guide(LINE, "places", model, settings), model


@pytest.mark.parametrize("objectives", [1, 2])
def test_model_knows_the_best_the_youngest_and_what_came_since_the_last_tenth(
    objectives: int,
) -> None:
    guide, model = asked(20)
    for number in range(107):
        tell(guide, number, *[0.0 if number in (3, 33, 77) else 200.0 - number] * objectives)
    guide.propose(generator(0, 107, "ask"))
    (known,) = model.known
    assert model.fitted == [20]
    assert len(known) == 27
    assert known[-17:] == list(range(90, 107))
    assert {3, 33, 77} <= set(known)
    assert known == sorted(known)


def test_model_is_fitted_after_each_result_and_later_after_each_tenth() -> None:
    guide, model = asked(1_000)
    for number in range(63):
        tell(guide, number, float(number))
        guide.propose(generator(0, number, "ask"))
        guide.propose(generator(1, number, "ask"))
    assert model.fitted == [*range(2, 41), 50, 60]
    assert [len(known) for known in model.known] == [n for n in range(2, 64) for _ in range(2)]


def test_long_history_of_two_objectives_is_never_ranked_whole() -> None:
    guide, model = asked(50)
    for number in range(2_000):
        tell(guide, number, float(number % 71), float(number % 73))
    guide.propose(generator(0, 2_000, "ask"))
    assert model.fitted == [50]
    assert [len(known) for known in model.known] == [50]


def member(space: SearchSpace, *codes: int) -> Member:
    return Member(7, space.architecture(codes), Result(0.0, (0.0,)))


def test_every_unseen_neighbour_of_the_best_is_offered_where_they_are_few() -> None:
    space = flat_space(decisions=4, options=5)
    best, seen = member(space, 0, 0, 0, 0), SeenPoints()
    around = list(space.neighbours(best.architecture))
    assert len(around) == 16 <= MUTANTS
    seen.add(point_key(around[5]))
    offered = Candidates(space)([best], seen, generator(0, 0, "ask"))
    vectors = [candidate.vector for candidate, _ in offered]
    assert len(set(vectors)) == len(vectors)
    assert {n.vector for n in around if n is not around[5]} <= set(vectors)
    assert around[5].vector not in vectors
    assert dict((c.vector, parents) for c, parents in offered)[around[0].vector] == (7,)


def test_no_more_than_a_fixed_number_is_offered_where_neighbours_are_many() -> None:
    space = flat_space(decisions=30, options=10)
    best = [member(space, *[n] * 30) for n in range(8)]
    offered = Candidates(space)(best, SeenPoints(), generator(0, 0, "ask"))
    assert 200 < len(offered) <= PARENTS * MUTANTS + SECOND + DRAWS


def test_networks_agree_on_what_they_saw_and_differ_elsewhere() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 2, (60, 20)).astype(float)
    targets = inputs @ rng.normal(size=20)
    targets = (targets - targets.mean()) / targets.std()
    points = Points(binary=inputs, numeric=np.zeros((60, 0)))
    others = Points(binary=1.0 - inputs, numeric=np.zeros((60, 0)))
    known = Known(points=points, targets=targets, pending=points.take([]))
    first = EnsembleRegression().fit(points, targets)
    means, near = first.predict(known, points)
    _, far = first.predict(known, others)
    assert np.corrcoef(means, targets)[0, 1] > 0.95
    assert far.mean() > 1.5 * near.mean()
    again = EnsembleRegression().fit(points, targets).predict(known, others)[1]
    assert (again == far).all()
