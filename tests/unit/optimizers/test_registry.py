from __future__ import annotations

import pytest

from morphml.errors import OptimizerError
from morphml.optimizers import JSON, OPTIMIZERS, GeneticAlgorithm, create_optimizer
from morphml.testing.example_spaces import flat_space

SPACE = flat_space()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_made_by_name_says_that_name_and_all_its_settings(name: str) -> None:
    optimizer = create_optimizer(name, SPACE)
    assert optimizer.name == name
    again = create_optimizer(name, SPACE, **optimizer.settings)
    assert again.settings == optimizer.settings
    assert OPTIMIZERS[name].use
    assert OPTIMIZERS[name].source


def test_setting_given_is_kept_beside_the_defaults() -> None:
    settings = GeneticAlgorithm(SPACE, population_size=20, crossover_rate=1).settings
    assert settings["population_size"] == 20
    assert settings["crossover_rate"] == 1.0
    assert settings["selection"] == "tournament"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("evolutoin", {}, "optimizer evolutoin: there is no such optimizer; .*'evolution'"),
        ("xyz", {}, "choose from auto, bananas, cma_es, differential_evolution, evolution, "),
        ("evolution", {"populaton_size": 9}, "no setting 'populaton_size'; .*'population_size'"),
        ("random", {"size": 9}, "no setting 'size'; there are none"),
        ("evolution", {"population_size": 1}, "evolution.population_size: must be >= 2, got 1"),
        ("evolution", {"sample_size": "9"}, "evolution.sample_size: must be of type int, got '9'"),
        ("evolution", {"sample_size": True}, "must be of type int, got True"),
        ("genetic", {"crossover_rate": 1.5}, "crossover_rate: must be from 0 to 1, got 1.5"),
        ("genetic", {"crossover_rate": float("nan")}, "must be from 0 to 1, got nan"),
        ("genetic", {"selection": "turnament"}, "selection: .*did you mean 'tournament'"),
        ("genetic", {"population_size": 5, "elitism": 5}, "population_size: must be >= 6, got 5"),
        ("local_search", {"starts": 0}, "local_search.starts: must be >= 1, got 0"),
    ],
)
def test_wrong_name_or_setting_is_refused_with_the_nearest_right_one(
    name: str, settings: dict[str, JSON], message: str
) -> None:
    with pytest.raises(OptimizerError, match=message):
        create_optimizer(name, SPACE, **settings)
