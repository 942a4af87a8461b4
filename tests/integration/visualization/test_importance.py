"""Decision importance finds what the objective depends on."""

from __future__ import annotations

import numpy as np

from morphml.search.objectives import parse_objectives
from morphml.visualization import TrialPoint, decision_importance
from morphml.visualization.importance import FEWEST_TRIALS, column

(LOSS,) = parse_objectives({"loss": "min"})


def points(count: int, *, slope: float = 3.0) -> list[TrialPoint]:
    rng = np.random.default_rng(5)
    made = []
    for number in range(count):
        chosen = {"width": int(rng.integers(1, 9)), "op": str(rng.choice(["a", "b"])), "lr": 0.1}
        loss = slope * int(chosen["width"]) + (0.5 if chosen["op"] == "a" else 0.0)
        made.append(TrialPoint(number=number, metrics={"loss": loss}, decisions=chosen))
    return made


def test_importance_orders_decisions_by_their_effect() -> None:
    shares = decision_importance(points(60), LOSS)
    assert list(shares) == ["width", "op", "lr"]
    assert shares["width"] > 0.9
    assert shares["lr"] == 0.0
    assert abs(sum(shares.values()) - 1.0) < 1e-9


def test_importance_is_the_same_for_the_same_points_in_any_order() -> None:
    given = points(30)
    assert decision_importance(given, LOSS) == decision_importance(given[::-1], LOSS)


def test_importance_is_empty_when_there_is_too_little_to_learn() -> None:
    assert decision_importance(points(FEWEST_TRIALS - 1), LOSS) == {}
    same = [TrialPoint(number=i, metrics={"loss": 1.0}, decisions={"a": i}) for i in range(40)]
    assert decision_importance(same, LOSS) == {}


def test_importance_survives_one_diverged_trial() -> None:
    given = points(60)
    given[7] = TrialPoint(number=7, metrics={"loss": 1e30}, decisions=given[7].decisions)
    assert next(iter(decision_importance(given, LOSS))) == "width"


def test_column_puts_inactive_decisions_below_the_range() -> None:
    assert column([{"a": 4}, {}, {"a": 8}], "a").tolist() == [4.0, 0.0, 8.0]
    assert column([{"a": "x"}, {"a": "y"}, {"a": "x"}], "a").tolist() == [0.0, 1.0, 0.0]
