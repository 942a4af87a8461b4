"""Who goes on, who waits and who is stopped, rule by rule."""

from __future__ import annotations

import pytest

from morphml.errors import ExperimentError, OptimizerError
from morphml.optimizers.pareto import Result
from morphml.search.fidelity import (
    FIDELITIES,
    Fidelity,
    Promotion,
    RungCount,
    combined,
    create_fidelity,
)
from morphml.search.fidelity.rungs import rung_epochs


def measured(rule: Fidelity, epoch: int, **values: float) -> None:
    """Trials ``t0=...``, ``t1=...`` come to an epoch, each for the first time there."""
    for name, value in values.items():
        rule.measured(int(name[1:]), epoch, Result(0.0, (value,)))


def promote_all(rule: Fidelity) -> list[Promotion]:
    found = []
    while (due := rule.due()) is not None:
        rule.promoted(due.number)
        found.append(due)
    return found


def began(rule: Fidelity, number: int) -> int:
    bracket = rule.bracket()
    rule.began(number, bracket)
    return bracket


def test_rungs_are_powers_of_eta_up_to_a_full_trial() -> None:
    assert rung_epochs(1, 27, 3) == (1, 3, 9, 27)
    assert rung_epochs(2, 30, 4) == (2, 8, 30)
    assert rung_epochs(1, 2, 3) == (1, 2)


@pytest.mark.parametrize("given", [(0, 9, 3), (1, 9, 1), (9, 9, 3), (1, 9, 2.5)])
def test_rungs_that_cannot_be_are_refused(given: tuple[int, int, int]) -> None:
    with pytest.raises(ExperimentError, match="fidelity"):
        rung_epochs(*given)


def test_asha_promotes_one_of_three_and_the_highest_rung_first() -> None:
    rule = create_fidelity("asha", 9)
    for number in range(6):
        began(rule, number)
    measured(rule, 1, t0=0.9, t1=0.8)
    assert rule.due() is None
    measured(rule, 1, t2=0.85)
    assert promote_all(rule) == [Promotion(1, 1, 3)]
    measured(rule, 1, t3=0.1, t4=0.2, t5=0.3)
    # Of six two may go on, and the first of these has gone.
    assert rule.due() == Promotion(3, 1, 3)
    assert promote_all(rule) == [Promotion(3, 1, 3), Promotion(4, 1, 3)]
    measured(rule, 3, t1=0.5, t3=0.05, t4=0.15)
    assert rule.due() == Promotion(3, 3, 9)


def test_asha_counts_trials_that_ended_but_does_not_promote_them() -> None:
    rule = create_fidelity("asha", 9)
    measured(rule, 1, t0=0.1, t1=0.2, t2=0.3)
    rule.ended(0)
    assert rule.due() is None
    assert rule.counts()[0] == RungCount(epochs=1, reached=3, promoted=0, waiting=2)


def test_infeasible_results_stand_behind_all_others() -> None:
    rule = create_fidelity("asha", 9)
    rule.measured(0, 1, Result(0.5, (0.0,)))
    measured(rule, 1, t1=0.9, t2=0.8)
    assert rule.due() == Promotion(2, 1, 3)


def test_several_objectives_are_ranked_by_front() -> None:
    rule = create_fidelity("asha", 9)
    for number, values in enumerate([(0.1, 9.0), (0.2, 8.0), (0.05, 9.5)]):
        rule.measured(number, 1, Result(0.0, values))
    rule.measured(3, 1, Result(0.0, (0.01, 1.0)))  # dominates all the others
    assert rule.due() == Promotion(3, 1, 3)


def test_hyperband_fills_its_brackets_by_their_shares() -> None:
    rule = create_fidelity("hyperband", 27)
    brackets = [began(rule, number) for number in range(49)]
    assert [brackets.count(each) for each in range(4)] == [27, 12, 6, 4]
    assert [rule.first_epoch(each) for each in range(4)] == [1, 3, 9, 27]


def test_hyperband_compares_within_a_bracket() -> None:
    rule = create_fidelity("hyperband", 9)
    numbers: dict[int, list[int]] = {}
    for number in range(15):
        numbers.setdefault(began(rule, number), []).append(number)
    first, second, _ = (numbers[each] for each in range(3))
    for number in first[:3]:
        rule.measured(number, 1, Result(0.0, (0.5 + number,)))
    assert rule.due() == Promotion(first[0], 1, 3)
    rule.promoted(first[0])
    # Better than all of the second bracket at 3 epochs, but alone in its own.
    rule.measured(first[0], 3, Result(0.0, (0.0,)))
    for number in second[:3]:
        rule.measured(number, 3, Result(0.0, (1.0 + number,)))
    assert promote_all(rule) == [Promotion(second[0], 3, 9)]


def test_asha_stopping_lets_the_best_third_go_on() -> None:
    rule = create_fidelity("asha_stopping", 9)

    def reports(number: int, epoch: int, value: float) -> bool:
        result = Result(0.0, (value,))
        stops = rule.stops(number, epoch, result)
        rule.measured(number, epoch, result)
        return stops

    assert [reports(n, 1, v) for n, v in enumerate([0.5, 0.6, 0.7, 0.1, 0.2])] == [
        False, False, True, False, True,
    ]  # fmt: skip
    # Between rungs nothing is judged, and a rung that was jumped over counts at the next report.
    assert not reports(0, 2, 9.0)
    assert [reports(n, 4, v) for n, v in [(3, 0.1), (1, 0.05), (0, 0.4)]] == [False, False, True]
    assert not reports(3, 9, 5.0)
    assert [count.reached for count in rule.counts()] == [5, 3, 1]


def test_median_stops_what_is_worse_than_the_mean_of_half_the_others() -> None:
    rule = create_fidelity("median", 9, min_epochs=2, min_trials=3)
    for number in range(3):
        for epoch in (1, 2, 3):
            rule.measured(number, epoch, Result(0.0, (float(number) - 0.1 * epoch,)))
    bad, good = Result(0.0, (5.0,)), Result(0.0, (0.5,))
    assert not rule.stops(3, 1, bad)
    assert rule.stops(3, 2, bad)
    assert not rule.stops(3, 2, good)
    rule.measured(3, 1, good)
    assert not rule.stops(3, 2, bad), "its best report counts"
    assert not rule.stops(4, 9, bad), "a full trial is over"


def test_median_waits_for_others() -> None:
    rule = create_fidelity("median", 9, min_trials=3)
    measured(rule, 1, t0=0.0, t1=0.0)
    assert not rule.stops(2, 1, Result(0.0, (9.0,)))


@pytest.mark.parametrize("name", FIDELITIES)
def test_every_rule_is_made_again_from_its_settings(name: str) -> None:
    rule = create_fidelity(name, 27)
    again = create_fidelity(rule.name, 27, **rule.settings)
    assert (again.name, again.settings, again.rungs) == (name, rule.settings, rule.rungs)
    assert rule.pauses is FIDELITIES[name].pauses


def test_wrong_names_are_told_with_the_nearest() -> None:
    with pytest.raises(ExperimentError, match="did you mean 'asha'"):
        create_fidelity("ahsa", 9)
    with pytest.raises(OptimizerError, match="did you mean 'eta'"):
        create_fidelity("asha", 9, etha=3)
    with pytest.raises(ExperimentError, match="stands for 'tpe' with 'hyperband'"):
        combined("bohb", "asha")
    assert combined("bohb", None) == ("tpe", "hyperband")
    assert combined("evolution", "asha") == ("evolution", "asha")
