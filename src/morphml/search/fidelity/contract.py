"""The contract between a rule of fidelity and the search: which trials get more epochs, and when.

A rule is a fold over the log, as an optimizer is: what it knows came through ``began``,
``measured``, ``promoted`` and ``ended``; ``due`` and ``stops`` read it and change nothing. It works
beside any optimizer. Two kinds there are. One *pauses*: a trial runs in segments, waits at the end
of each, and is promoted from its checkpoint when a slot is free. The other *stops*: a trial runs in
one go and is ended early where a report shows that it falls behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from morphml.optimizers.events import JSON
from morphml.optimizers.pareto import Result


class Promotion(NamedTuple):
    """A paused trial that goes on."""

    number: int
    #: Epochs at the rung where it waits, and at the one where its next segment ends.
    from_epoch: int
    to_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RungCount:
    """One rung as people see it."""

    #: Epochs done there; the last rung is a full trial.
    epochs: int
    #: Trials that were measured there.
    reached: int
    #: Of these: went on to the next rung, or were not stopped here.
    promoted: int
    #: Of these: wait there for a promotion.
    waiting: int


class Fidelity(Protocol):
    """Decides how many epochs each trial gets."""

    #: The name in the registry, such as ``"asha"``.
    name: str
    #: Whether trials run in segments and wait at rungs; else they are stopped at reports.
    pauses: bool
    #: Epochs at which trials are compared, rising; the last is a full trial.
    rungs: tuple[int, ...]

    @property
    def settings(self) -> Mapping[str, JSON]:
        """Every setting with its value."""
        ...

    def bracket(self) -> int:
        """The bracket that the next trial joins; 0 where there is only one."""
        ...

    def first_epoch(self, bracket: int) -> int:
        """The epoch at which the first segment of a trial of that bracket ends."""
        ...

    def began(self, number: int, bracket: int) -> None:
        """Trial ``number`` has joined a bracket."""
        ...

    def measured(self, number: int, epoch: int, result: Result) -> None:
        """Trial ``number`` has a result after ``epoch`` epochs: it paused there, or reported."""
        ...

    def promoted(self, number: int) -> None:
        """Trial ``number`` went on from where it waited."""
        ...

    def ended(self, number: int) -> None:
        """Trial ``number`` is over, whatever became of it; what it reached still counts."""
        ...

    def due(self) -> Promotion | None:
        """The promotion that is due now, or None; the highest rung goes first."""
        ...

    def stops(self, number: int, epoch: int, result: Result) -> bool:
        """Whether a running trial is to end early for what it reports now, before it counts."""
        ...

    def counts(self) -> tuple[RungCount, ...]:
        """The rungs as people see them, lowest first."""
        ...
