"""What comes of asking the machine for a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from morphml.space import Architecture


class Taken(NamedTuple):
    """A proposal took a number and is to be evaluated."""

    number: int
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class Reused:
    """A proposal was answered with the result of another experiment; the next may be asked."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more is asked, for the reason given."""

    reason: str
