"""One look-up is one evaluation, and none is spent on what is known."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from morphml.benchmarks import PEERS, Problem, Run, key_of, play, synthetic
from morphml.benchmarks.campaign import Campaign, campaign_keys, competitors
from morphml.benchmarks.comparison import compare
from morphml.errors import CallerError
from morphml.optimizers import OPTIMIZERS
from morphml.seeds import generator
from morphml.space import Architecture


class Counted:
    """Look-ups of another problem, counted by what they were about."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.points: Counter[object] = Counter()

    def __call__(self, architecture: Architecture, /) -> Mapping[str, float] | None:
        self.points[architecture.point_id] += 1
        return self.problem.look_up(architecture)

    def network(self, architecture: Architecture, /) -> str | None:
        return self.problem.look_up.network(architecture)

    @property
    def digest(self) -> str:
        return self.problem.look_up.digest


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
def test_search_spends_its_budget_and_no_look_up_on_a_known_point(optimizer: str) -> None:
    problem = synthetic("cell")
    counted = Counted(problem)
    run = play(replace(problem, look_up=counted), key_of(problem, optimizer, 3, 60))
    assert sum(counted.points.values()) == run.evaluations == len(run.verdict) == 60
    assert set(counted.points.values()) == {1}
    assert run.networks == len(counted.points)
    assert list(run.verdict) == sorted(run.verdict, reverse=True)


def test_planted_network_is_the_best_there_is_and_equal_networks_are_equal() -> None:
    problem = synthetic("cell")
    values: dict[str, set[float]] = {}
    space = problem.space
    for member in [space.default(), *space.neighbours(space.default())]:
        graph = problem.look_up.network(member)
        assert graph is not None
        values.setdefault(graph, set()).add(problem(member, None)["distance"])
    assert all(len(each) == 1 for each in values.values())
    assert all(0.0 <= value <= 1.0 for each in values.values() for value in each)
    assert len({value for each in values.values() for value in each}) > 10
    target = space.sample(generator(0, 0, "planted"))
    assert problem(target, None) == {"distance": 0.0}


def test_same_key_gives_the_same_run_and_its_line_reads_back() -> None:
    problem = synthetic("cell")
    key = key_of(problem, "evolution", 5, 40)
    one, other = play(problem, key), play(problem, key)
    assert replace(one, ask_ms=0.0) == replace(other, ask_ms=0.0)
    assert Run.of_line(one.to_line()) == one
    assert Run.of_line(one.to_line()[:-20]) is None
    assert Run.of_line("\n") is None


def test_peer_pays_for_its_repeats() -> None:
    pytest.importorskip("optuna")
    problem = synthetic("cell")
    peer = PEERS["optuna_tpe"]
    key = replace(key_of(problem, "random", 0, 60), optimizer="optuna_tpe")
    counted = Counted(problem)
    run = peer.play(replace(problem, look_up=counted), key)
    assert run.evaluations == sum(counted.points.values()) == 60
    assert run.networks == len(counted.points) <= run.vectors <= 60
    assert run.wasted == 60 - run.vectors
    assert len(run.by_network) == run.networks
    assert run.answered == 0


def test_competitors_are_checked_by_name() -> None:
    assert competitors("random, evolution,random") == ["random", "evolution"]
    assert set(competitors("all")) >= {"auto", "random", "bananas"}
    with pytest.raises(CallerError, match="did you mean 'evolution'"):
        competitors("evolutoin")
    with pytest.raises(CallerError, match="at least one"):
        competitors(" , ")


def test_all_leaves_out_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("optuna", "cmaes", "smac"):
        monkeypatch.setitem(sys.modules, module, None)
    left = set(OPTIMIZERS) - set(competitors("all"))
    assert left == {"tpe", "optuna_gp", "nsga3", "cma_es", "smac"}


def runs_of(name: str, finals: list[float]) -> list[Run]:
    key = key_of(synthetic("cell"), "random", 0, 4)
    return [
        Run(
            key=replace(key, optimizer=name, seed=seed),
            curves={"distance": (9.0, 5.0, final, final)},
            evaluations=4,
            vectors=4,
            networks=3,
            answered=seed,
            failed=0,
            ask_ms=1.0,
        )
        for seed, final in enumerate(finals)
    ]


def test_comparison_pairs_by_seed() -> None:
    ours = runs_of("ours", [1.0, 2.0, 3.0, 4.0])
    theirs = runs_of("theirs", [2.0, 3.1, 3.9, 5.0])
    made = compare([*theirs, *reversed(ours)], unit="", baseline="theirs", marks=[2, 4])
    base, mine = made.standings
    assert base.marks[0].apart is None
    early, late = mine.marks
    assert (early.missing.mean, early.word, early.p) == (5.0, "", 1.0)
    # Differences -1, -1.1, -0.9, -1: mean -1, deviation sqrt(0.02 / 3), t 3.182 / sqrt(4).
    assert late.apart is not None
    assert late.apart.mean == pytest.approx(-1.0)
    assert late.apart.half == pytest.approx(3.182 * (0.02 / 3) ** 0.5 / 2, abs=0.001)
    assert late.word == "beats"
    assert mine.answered == 1.5
    assert len(mine.curves["distance"]) == 4
    with pytest.raises(CallerError, match="baseline"):
        compare(ours, unit="", baseline="theirs")
    with pytest.raises(CallerError, match="marks"):
        compare(ours, unit="", baseline="ours", marks=[5])


@pytest.mark.parametrize(
    ("finals", "expected"),
    [
        ([0.98, 0.99, 0.98, 0.99], "beats"),
        ([1.0, 1.0, 1.0, 1.0], "no worse"),
        ([1.015, 1.016, 1.015, 1.016], "no worse"),
        ([1.0, 1.1, 0.9, 1.0], "open"),
        ([1.1, 1.1, 1.1, 1.2], "loses"),
    ],
)
def test_verdict_is_that_of_the_paired_interval(finals: list[float], expected: str) -> None:
    runs = [*runs_of("theirs", [1.0, 1.0, 1.0, 1.0]), *runs_of("ours", finals)]
    made = compare(runs, unit="points", baseline="theirs")
    assert made.margin == 0.02
    assert made.standings[1].marks[-1].verdict(made.margin) == expected
    assert made.standings[0].marks[-1].verdict(made.margin) == ""


def test_curve_by_network_leaves_out_evaluations_of_a_network_seen_before() -> None:
    class Thrice(Counted):
        """Every three members are one network."""

        def network(self, architecture: Architecture, /) -> str | None:
            return str((len(self.points) - 1) // 3)

    problem = synthetic("cell")
    counted = replace(problem, look_up=Thrice(problem))
    run = play(counted, key_of(counted, "random", 0, 12))
    assert run.repeats == (2, 3, 5, 6, 8, 9, 11, 12)
    assert run.networks == 4
    assert run.by_network == tuple(run.verdict[place] for place in (0, 3, 6, 9))
    assert run.wasted == 0
    assert replace(run, networks=None).by_network == ()
    (standing,) = compare([run], unit="", baseline="random").standings
    assert [each.mean for each in standing.by_network] == list(run.by_network)


def test_keys_are_by_optimizer_and_seed() -> None:
    campaign = Campaign(
        problem=synthetic("cell"), names=["random", "evolution"], seeds=3, trials=7, folder=Path()
    )
    keys = campaign_keys(campaign)
    assert [(key.optimizer, key.seed) for key in keys] == [
        (name, seed) for name in ("random", "evolution") for seed in range(3)
    ]
    assert len(set(keys)) == 6
