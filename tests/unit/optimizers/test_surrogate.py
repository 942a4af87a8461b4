"""The parts of searches led by a model: encodings, targets, acquisition, the process itself."""

from __future__ import annotations

import numpy as np
import pytest

from morphml import layers as L
from morphml.optimizers.pareto import Result
from morphml.optimizers.surrogate.acquisition import ACQUISITIONS, expected_improvement
from morphml.optimizers.surrogate.gaussian import GaussianProcess, GaussianRegression
from morphml.optimizers.surrogate.points import Encoder, Points, distances
from morphml.optimizers.surrogate.regression import Known
from morphml.optimizers.surrogate.targets import even_weights, targets
from morphml.space import SearchSpace, choice, optional, parallel, real, residual
from morphml.testing.example_spaces import conditional_space, flat_space


def test_distance_counts_unequal_options() -> None:
    space = flat_space(decisions=4, options=3)
    vectors = [[0, 0, 0, 0], [0, 0, 0, 1], [2, 1, 1, 1]]
    points = Encoder(space, "decisions")(space.architecture(v) for v in vectors)
    assert distances(points, points).tolist() == [[0, 1, 4], [1, 0, 3], [4, 3, 0]]


def test_inactive_decisions_are_no_nearer_to_one_value_than_to_another() -> None:
    space = conditional_space()
    rng = np.random.default_rng(0)
    members = [space.sample(rng) for _ in range(40)]
    points = Encoder(space, "decisions")(members)
    apart = distances(points, points)
    assert np.allclose(apart, apart.T)
    assert (np.diag(apart) == 0).all()
    same = [[a.vector == b.vector for b in members] for a in members]
    assert ((apart == 0) == np.array(same)).all()


def test_no_architecture_gives_no_row() -> None:
    points = Encoder(flat_space(), "decisions")([])
    assert len(points) == 0
    assert distances(points, points).shape == (0, 0)


@pytest.mark.parametrize("encoding", ["graph", "path"])
def test_equal_networks_are_equal_points_of_an_encoding_of_graphs(encoding: str) -> None:
    space = SearchSpace(
        input=(8,),
        layers=[optional(L.identity()), L.dense(units=choice(4, 8)), L.output(2)],
        hyper={"lr": real(0.1, 1.0)},
    )
    members = {
        (a.decisions.get("units"), a.vector): a
        for a in (space.sample(np.random.default_rng(seed)) for seed in range(40))
    }
    same_rate = [space.architecture([*a.vector[:-1], 0.5]) for a in members.values()]
    points = Encoder(space, encoding)(same_rate)
    apart = distances(points, points)
    ids = [[a.graph_id == b.graph_id for b in same_rate] for a in same_rate]
    assert ((apart == 0) == np.array(ids)).all()
    assert len({a.vector for a in same_rate}) > len({a.graph_id for a in same_rate})


def test_path_encoding_has_a_column_for_each_way_from_input_to_output() -> None:
    space = SearchSpace(
        input=(8,),
        layers=[
            parallel([L.relu(), choice(L.gelu(), L.tanh())], merge="add"),
            optional(residual(L.dense(units=8))),
            L.output(2),
        ],
    )
    ways = {
        architecture.vector: Encoder(space, "path")([architecture]).binary.sum()
        for architecture in (space.sample(np.random.default_rng(seed)) for seed in range(30))
    }
    assert sorted(ways.values()) == [2, 2, 4, 4]


def test_path_encoding_bears_more_ways_than_can_be_counted() -> None:
    blocks = [residual(L.dense(units=8)) for _ in range(60)]
    space = SearchSpace(input=(8,), layers=[*blocks, L.dense(units=choice(4, 8)), L.output(2)])
    points = Encoder(space, "path")([space.sample(np.random.default_rng(0))])
    assert 30 < points.binary.sum() <= 64


def test_targets_do_not_change_with_the_unit() -> None:
    values = [3.0, 1.0, 1.5, 40.0]
    plain = targets([Result(0.0, (v,)) for v in values], even_weights(1))
    scaled = targets([Result(0.0, (1_000 * v - 7,)) for v in values], even_weights(1))
    assert np.allclose(plain, scaled)
    assert abs(plain.mean()) < 1e-12
    assert np.argsort(plain).tolist() == [1, 2, 0, 3]


def test_equal_results_give_equal_targets() -> None:
    assert targets([Result(0.0, (2.0,))] * 3, even_weights(1)).tolist() == [0.0, 0.0, 0.0]


def test_violations_come_last_in_their_own_order() -> None:
    results = [Result(2.0, (0.0,)), Result(0.0, (9.0,)), Result(1.0, (0.0,)), Result(0.0, (8.0,))]
    assert np.argsort(targets(results, even_weights(1))).tolist() == [3, 1, 2, 0]


def test_weights_decide_between_objectives() -> None:
    results = [Result(0.0, (0.0, 1.0)), Result(0.0, (1.0, 0.0)), Result(0.0, (0.6, 0.6))]
    first = targets(results, np.array([0.9, 0.1]))
    second = targets(results, np.array([0.1, 0.9]))
    assert first.argmin() == 0
    assert second.argmin() == 1


def test_expected_improvement_is_the_mean_of_what_is_gained() -> None:
    rng = np.random.default_rng(0)
    mean, deviation, best = 0.3, 0.8, 0.1
    gained = np.maximum(best - rng.normal(mean, deviation, 400_000), 0.0).mean()
    found = expected_improvement(np.array([mean]), np.array([deviation]), best, rng)
    assert found[0] == pytest.approx(gained, rel=0.01)


@pytest.mark.parametrize("rule", sorted(ACQUISITIONS))
def test_sure_improvement_is_preferred_to_sure_loss(rule: str) -> None:
    scores = ACQUISITIONS[rule](
        np.array([-3.0, 3.0]), np.array([0.1, 0.1]), 0.0, np.random.default_rng(0)
    )
    assert scores[0] > scores[1]


def line(places: list[float]) -> Points:
    return Points(binary=np.zeros((len(places), 0)), numeric=np.array(places)[:, None])


def test_process_is_the_textbook_posterior() -> None:
    process = GaussianProcess(scale=0.5, noise=0.01, variance=2.0)
    known, asked = [0.0, 0.4, 1.0], [0.2, 0.9]
    values = np.array([1.0, -1.0, 0.5])
    means, deviations = process.predict(
        Known(points=line(known), targets=values, pending=line([])), line(asked)
    )

    def kernel(a: list[float], b: list[float]) -> np.ndarray:
        return np.exp(-np.abs(np.subtract.outer(a, b)) / 0.5)

    inverse = np.linalg.inv(kernel(known, known) + 0.01 * np.eye(3))
    across = kernel(known, asked)
    assert np.allclose(means, across.T @ inverse @ values)
    assert np.allclose(deviations**2, 2.0 * (1.0 - np.diag(across.T @ inverse @ across)))


def test_nothing_is_left_to_learn_beside_a_pending_point() -> None:
    process = GaussianProcess(scale=0.5, noise=0.001, variance=1.0)
    values = np.array([1.0, -1.0])
    free = Known(points=line([0.0, 1.0]), targets=values, pending=line([]))
    busy = Known(points=line([0.0, 1.0]), targets=values, pending=line([0.5]))
    mean, before = process.predict(free, line([0.5]))
    believed, after = process.predict(busy, line([0.5]))
    assert after[0] < 0.1 * before[0]
    assert believed[0] == pytest.approx(mean[0], abs=1e-2)


def test_fit_tells_noise_from_signal() -> None:
    rng = np.random.default_rng(0)
    places = np.sort(rng.random(60))
    smooth = np.sin(6 * places)
    noise = rng.normal(size=60)
    points = line(places.tolist())
    assert GaussianRegression().fit(points, smooth / smooth.std()).noise == 1e-3
    assert GaussianRegression().fit(points, noise / noise.std()).noise == 0.5
