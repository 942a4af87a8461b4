"""What an optimizer may know: the entries of an experiment's log, in the log's order.

Values are always minimised here (whoever writes the log flips signs) and come as one float per
objective. A failed trial has no values; it ranks behind every trial that has some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from morphml.space import Architecture

#: A value that JSON can carry; tuples count as arrays.
JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A proposal became trial ``number``: it is pending until it is told or cancelled."""

    #: The trial's number, >= 0; each is asked once.
    number: int
    architecture: Architecture
    #: Numbers of the trials that the proposal was made from; may be empty.
    parents: tuple[int, ...] = ()
    #: What the optimizer wrote beside its proposal (<= 4 kB of JSON), or None.
    note: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A proposal was a duplicate: it took no number and is answered from what is known."""

    architecture: Architecture
    #: The trial that the proposal repeats; None when the answer came from another experiment.
    source: int | None
    #: The known result, minimised; None when the source is still pending, or failed.
    values: tuple[float, ...] | None
    #: The known result's violation, as in ``Told``.
    violation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A proposal broke a cheap constraint before any training: it took no number."""

    architecture: Architecture
    #: The constraint as the caller wrote it.
    constraint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Trial ``number`` reported while it ran."""

    number: int
    #: The epoch or other resource spent so far; rises strictly within a trial.
    step: int
    #: Minimised, one per objective.
    values: tuple[float, ...]
    #: As in ``Told``, of the constraints whose metrics were reported.
    violation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Trial ``number`` ended by itself; it is not pending any more."""

    number: int
    #: Minimised, one per objective; None when the trial failed.
    values: tuple[float, ...] | None
    #: Sum of what its metrics exceed the constraints by, >= 0; 0 is feasible.
    violation: float = 0.0
    #: Seconds of evaluation, all segments together, as stored in the log.
    duration: float = 0.0
    #: Epochs after which it ended where those were fewer than a full trial's; None for a full one.
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Trial ``number`` waits at a rung; it stays pending."""

    number: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """Trial ``number`` goes on from the rung at ``step``."""

    number: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Trial ``number`` was taken back by a person; it is not pending and will not be told."""

    number: int


Event: TypeAlias = Asked | Answered | Rejected | Reported | Told | Paused | Promoted | Cancelled
