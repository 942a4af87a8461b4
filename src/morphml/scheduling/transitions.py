"""What the tables of all machines have in common: their form, and the check against them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias, TypeVar

from morphml.errors import IllegalTransition

State = TypeVar("State", bound=StrEnum)

#: (state, type of event) -> the states that may follow. What is not listed is illegal.
Table: TypeAlias = Mapping[tuple[State, type], tuple[State, ...]]


def check_known(
    table: Table[State], subject: str, state: State, event: object, story: tuple[str, ...] = ()
) -> None:
    """Nothing when the table knows the event in this state.

    Raises:
        IllegalTransition: it does not.
    """
    if (state, type(event)) not in table:
        raise IllegalTransition(subject, state=state, event=event, story=story)
