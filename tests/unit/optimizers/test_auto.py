"""Who is in charge of an automatic search, trial by trial."""

from __future__ import annotations

import pytest

from morphml import layers as L
from morphml.optimizers import Asked, Auto, Told
from morphml.optimizers.auto import of_numbers
from morphml.optimizers.gaussian_process import GaussianProcessSettings
from morphml.seeds import generator
from morphml.space import SearchSpace, choice, integer, real
from morphml.testing.example_spaces import conditional_space, flat_space, tiny_space
from morphml.testing.optimizer_contract import described, fold
from morphml.testing.playing import Plan, Play


def numbers(count: int = 3) -> SearchSpace:
    """Whole numbers, one of them on a log scale, and a real one where there are three."""
    domains = [integer(1, 9), integer(8, 1024, log=True), real(0.0, 1.0)]
    return SearchSpace(decisions={f"x{n}": domains[n % 3] for n in range(count)})


def proposers(objectives: int, trials: int, space: SearchSpace | None = None) -> list[str]:
    """Who made each proposal of a search."""
    auto = Auto(space or flat_space(), model_trials=24)
    made = []
    for number in range(trials):
        proposal = auto.ask(number, generator(0, number, "ask"))
        assert proposal.note is not None
        made.append(str(proposal.note["by"]))
        architecture = proposal.architecture
        auto.observe(Asked(number=number, architecture=architecture, note=proposal.note))
        auto.observe(Told(number=number, values=(float(number),) * objectives))
    return made


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        (1, ["gaussian_process", "bananas"] * 12 + ["evolution"] * 6),
        (2, ["gaussian_process", "bananas"] * 4 + ["genetic"] * 22),
    ],
)
def test_models_take_turns_and_hand_over_after_their_trials(
    objectives: int, expected: list[str]
) -> None:
    assert proposers(objectives, 30) == expected


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        (
            1,
            ["quasi_random"] * 10
            + ["gaussian_process", "bananas"] * 7
            + ["evolution", "particle_swarm"] * 3,
        ),
        (2, ["quasi_random"] * 8 + ["genetic"] * 22),
    ],
)
def test_spaces_of_numbers_have_their_own_rule(objectives: int, expected: list[str]) -> None:
    assert proposers(objectives, 30, numbers()) == expected


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (numbers(), True),
        (numbers(700), True),
        (numbers(701), False),  # more than a swarm takes
        (SearchSpace(decisions={"x": real(0.0, 1.0), "y": choice(1, 2, 4, ordered=True)}), False),
        (conditional_space(), False),
        (flat_space(), False),
        (tiny_space(), False),
        (SearchSpace(input=(4,), layers=[L.dense(units=integer(4, 64))]), False),
    ],
)
def test_space_of_numbers_has_neither_options_nor_a_graph(
    space: SearchSpace, *, expected: bool
) -> None:
    assert of_numbers(space) is expected


@pytest.mark.parametrize("trials", [4, 17, 31])
def test_fresh_one_folds_a_log_over_numbers_and_goes_on_alike(trials: int) -> None:
    plan = Plan(trials=trials, pending=3, failed=0.1, rejected=0.1)
    play = Play(Auto(numbers(), model_trials=24), numbers(), plan).run()
    folded = fold(Auto(numbers(), model_trials=24), play.log)
    assert described([play.next_ask(folded)]) == described([play.next_ask()])


def test_search_that_may_try_all_members_tries_each_once() -> None:
    space = flat_space(decisions=3, options=3)
    play = Play(Auto(space), space, Plan(trials=27)).run()
    asked = [event.architecture.vector for event in play.log if isinstance(event, Asked)]
    assert len(set(asked)) == len(asked) == space.size.value == 27


def test_evolution_breeds_from_what_the_model_found() -> None:
    auto = Auto(flat_space(), model_trials=5)
    for number in range(60):
        architecture = flat_space().sample(generator(1, number, "draw"))
        auto.observe(Asked(number=number, architecture=architecture))
        auto.observe(Told(number=number, values=(float(number),)))
    parents = auto.ask(60, generator(0, 60, "ask")).parents
    assert parents
    assert parents[0] >= 10


def test_evolution_proposes_while_very_many_trials_are_under_way() -> None:
    auto = Auto(flat_space(), model_trials=100, model_slots=10)
    made = []
    for number in range(16):
        proposal = auto.ask(number, generator(0, number, "ask"))
        assert proposal.note is not None
        made.append(str(proposal.note["by"]))
        auto.observe(Asked(number=number, architecture=proposal.architecture))
    assert made == [*["gaussian_process", "bananas"] * 5, "gaussian_process", *["evolution"] * 5]
    for number in range(8):
        auto.observe(Told(number=number, values=(float(number),)))
    note = auto.ask(16, generator(0, 16, "ask")).note
    assert note == {"by": "gaussian_process"}


def test_process_proposes_alone_while_it_searches_anew() -> None:
    auto, made = Auto(flat_space()), []
    for number in range(70):
        proposal = auto.ask(number, generator(0, number, "ask"))
        assert proposal.note is not None
        made.append((proposal.note["by"], proposal.note.get("restart")))
        architecture = proposal.architecture
        auto.observe(Asked(number=number, architecture=architecture, note=proposal.note))
        auto.observe(Told(number=number, values=(float(number),)))
    taught = 1 + GaussianProcessSettings().patience
    first = [("gaussian_process", None), ("bananas", None)] * taught
    assert made[:taught] == first[:taught]
    assert made[taught : 2 * taught] == [("gaussian_process", 1)] * taught
    assert ("bananas", None) in made[2 * taught :]
