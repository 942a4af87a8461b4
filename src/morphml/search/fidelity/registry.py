"""Every rule of fidelity by name, and the optimizers' names that stand for one with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from morphml.errors import ExperimentError
from morphml.hints import meant_or_known
from morphml.optimizers.events import JSON
from morphml.search.fidelity.asha import Asha
from morphml.search.fidelity.asha_stopping import AshaStopping
from morphml.search.fidelity.contract import Fidelity
from morphml.search.fidelity.hyperband import Hyperband
from morphml.search.fidelity.median import Median


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityEntry:
    """One line of the list that people choose from."""

    make: Callable[..., Fidelity]
    #: Whether trials run in segments and wait at rungs; else they are stopped at reports.
    pauses: bool
    #: When to use it, in one sentence.
    use: str
    #: Where it is described.
    source: str


#: Every rule of fidelity. The key is the name stored with experiments.
FIDELITIES: Mapping[str, FidelityEntry] = {
    "asha": FidelityEntry(
        make=Asha,
        pauses=True,
        use="in most cases: many trials begin, the best third of each rung goes on",
        source="Li et al., 2020",
    ),
    "hyperband": FidelityEntry(
        make=Hyperband,
        pauses=True,
        use="where it is not known whether few epochs tell good from bad",
        source="Li et al., 2018",
    ),
    "asha_stopping": FidelityEntry(
        make=AshaStopping,
        pauses=False,
        use="where a checkpoint costs much or cannot be made",
        source="Li et al., 2020",
    ),
    "median": FidelityEntry(
        make=Median,
        pauses=False,
        use="to save a part of the epochs with little risk",
        source="Golovin et al., 2017",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """An optimizer together with a rule of fidelity, under one name."""

    optimizer: str
    fidelity: str
    #: When to use it, in one sentence.
    use: str
    #: Where it is described.
    source: str


#: Names that may be given as the optimizer and stand for two choices.
COMBINATIONS: Mapping[str, Combination] = {
    "asha": Combination(
        optimizer="random",
        fidelity="asha",
        use="for many trials whose first epochs tell good from bad",
        source="Li et al., 2020",
    ),
    "hyperband": Combination(
        optimizer="random",
        fidelity="hyperband",
        use="as asha, where first epochs may mislead",
        source="Li et al., 2018",
    ),
    "bohb": Combination(
        optimizer="tpe",
        fidelity="hyperband",
        use="as hyperband, where there is time for the model to learn from some 50 trials",
        source="Falkner et al., 2018",
    ),
}


def combined(optimizer: str, fidelity: str | None) -> tuple[str, str | None]:
    """The names of an optimizer and a rule of fidelity, where the first may stand for both.

    Raises:
        ExperimentError: when the name comes with another rule.
    """
    both = COMBINATIONS.get(optimizer)
    if both is None:
        return optimizer, fidelity
    if fidelity not in (None, both.fidelity):
        raise ExperimentError(
            f"fidelity: optimizer {optimizer!r} stands for {both.optimizer!r} with "
            f"{both.fidelity!r}, got {fidelity!r} too; name one of them as the optimizer"
        )
    return both.optimizer, both.fidelity


def create_fidelity(name: str, max_epochs: int, **settings: JSON) -> Fidelity:
    """A fresh rule that knows nothing yet.

    Args:
        name: a key of ``FIDELITIES``.
        max_epochs: epochs of a full trial.
        settings: its settings by name; defaults are filled in.

    Raises:
        ExperimentError: an unknown name, with the nearest one, or a value out of range.
        OptimizerError: an unknown setting, with the nearest one.
    """
    entry = FIDELITIES.get(name)
    if entry is None:
        raise ExperimentError(f"fidelity: there is no {name!r}{meant_or_known(name, FIDELITIES)}")
    return entry.make(max_epochs, **settings)
