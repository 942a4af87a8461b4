"""Who is in charge of an automatic search, trial by trial."""

from __future__ import annotations

import pytest

from morphml.optimizers import Asked, Auto, Told
from morphml.optimizers.gaussian_process import GaussianProcessSettings
from morphml.seeds import generator
from morphml.testing.example_spaces import flat_space


def proposers(objectives: int, trials: int) -> list[str]:
    """Who made each proposal of a search."""
    auto = Auto(flat_space(), model_trials=24)
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
