"""When a search led by a model begins anew, what it then knows, and when the first takes over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from morphml.optimizers import Asked, Auto, Bananas, Cancelled, GaussianProcess, Told
from morphml.optimizers.contract import Optimizer
from morphml.optimizers.surrogate.guide import GuideSettings
from morphml.optimizers.surrogate.points import Floats, Points
from morphml.optimizers.surrogate.regression import Known
from morphml.optimizers.surrogate.restarts import RESTART, Restarts
from morphml.seeds import generator
from morphml.space import SearchSpace, integer
from morphml.testing.example_spaces import flat_space

LINE = SearchSpace(decisions={"n": integer(0, 9_999)})
PATIENCE = 4


class Counting:
    """A model that writes down how many results it was fitted to."""

    def __init__(self) -> None:
        self.fitted: list[int] = []

    def fit(self, points: Points, targets: Floats) -> Counting:
        self.fitted.append(len(points))
        return self

    def predict(self, known: Known, candidates: Points) -> tuple[Floats, Floats]:
        return np.zeros(len(candidates)), np.ones(len(candidates))


class Search:
    """One trial at a time, or with some ahead."""

    def __init__(self) -> None:
        self.model = Counting()
        settings = GuideSettings(starts=4, acquisition="ei", window=100)
        self.restarts = Restarts(LINE, "places", self.model, settings, PATIENCE)
        self.vectors: list[object] = []
        self.number = 0

    def ask(self) -> int | None:
        """Begin a trial; which search begun anew proposed it."""
        proposal = self.restarts.propose(generator(0, self.number, "ask"))
        architecture, note = proposal.architecture, proposal.note
        self.vectors.append(architecture.vector)
        self.restarts.observe(Asked(number=self.number, architecture=architecture, note=note))
        self.number += 1
        if note is None:
            return None
        restart = note[RESTART]
        assert isinstance(restart, int)
        return restart

    def tell(self, number: int, value: float | None) -> None:
        self.restarts.observe(Told(number=number, values=None if value is None else (value,)))

    def trial(self, value: float | None) -> int | None:
        by = self.ask()
        self.tell(self.number - 1, value)
        return by


def test_search_begins_anew_after_so_many_results_without_a_new_best() -> None:
    search = Search()
    made = [search.trial(1.0) for _ in range(1 + PATIENCE)]
    assert made == [None] * 5
    assert search.trial(2.0) == 1
    assert search.trial(None) == 1


def test_new_best_puts_it_off_and_failures_bring_it_nearer() -> None:
    search = Search()
    values = [5.0, 6.0, 6.0, None, 4.0, 5.0, None, 4.0, None]
    assert [search.trial(value) for value in values] == [None] * 9
    assert search.trial(3.0) == 1


def test_first_search_takes_over_for_as_many_results_as_the_other_had() -> None:
    search = Search()
    for _ in range(1 + PATIENCE):
        search.trial(1.0)
    others = [search.trial(value) for value in (9.0, 8.0, 7.0, 7.0, 7.0, 6.0, 7.0, 7.0, 7.0, 7.0)]
    assert others == [1] * 10
    assert [search.trial(8.0) for _ in range(10)] == [None] * 10
    assert search.trial(8.0) == 2


def test_search_begun_anew_learns_its_own_results_only_and_repeats_no_point() -> None:
    search = Search()
    for _ in range(1 + PATIENCE):
        search.trial(1.0)
    search.model.fitted.clear()
    for value in (9.0, 8.0, 7.0, 6.0, 5.0):
        assert search.trial(value) == 1
    assert search.model.fitted == [2, 3, 4], "two draws, and then a model of its own results"
    assert len(set(search.vectors)) == len(search.vectors) == 10


def test_results_asked_for_before_the_last_new_best_do_not_count() -> None:
    search = Search()
    for _ in range(12):
        search.ask()
    search.tell(0, 1.0)
    for number in range(1, 12):
        search.tell(number, 2.0)
    assert [search.trial(2.0) for _ in range(PATIENCE)] == [None] * PATIENCE
    assert search.ask() == 1


def test_cancelled_trial_of_a_search_begun_anew_is_forgotten() -> None:
    search = Search()
    for _ in range(1 + PATIENCE):
        search.trial(1.0)
    assert search.ask() == 1
    search.restarts.observe(Cancelled(number=search.number - 1))
    assert [search.trial(9.0) for _ in range(1 + PATIENCE)] == [1] * (1 + PATIENCE)
    assert search.ask() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda space: Bananas(space, patience=3),
        lambda space: GaussianProcess(space, patience=3),
        Auto,
    ],
)
def test_fold_of_the_log_alone_proposes_the_same_in_every_turn(
    make: Callable[[SearchSpace], Optimizer],
) -> None:
    space = flat_space()
    lived, log, restarts = make(space), [], set()
    for number in range(60):
        proposal = lived.ask(number, generator(0, number, "ask"))
        restarts.add((proposal.note or {}).get(RESTART))
        asked = Asked(number=number, architecture=proposal.architecture, note=proposal.note)
        told = Told(number=number, values=(1.0 + number % 5,))
        if number % 6 == 0:
            folded = make(space)
            for event in log:
                folded.observe(event)
            again = folded.ask(number, generator(0, number, "ask"))
            assert again.architecture.vector == proposal.architecture.vector
            assert again.note == proposal.note
        for event in (asked, told):
            log.append(event)
            lived.observe(event)
    assert len(restarts) > 1
