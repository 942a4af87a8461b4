"""Requirement sets, interned as classes: tasks of one class differ only in rank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

import orjson

from morphml.errors import RequirementsError
from morphml.ids import ExperimentId
from morphml.scheduling.resources import Requirements
from morphml.storage.database import Transaction
from morphml.storage.statements import task_rows

#: Whether some worker of who claims could run tasks with these needs.
Could: TypeAlias = Callable[[Requirements], bool]


class ClassNames:
    """The classes that this process has met; a class never changes, so none goes stale."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def for_transaction(self) -> TransactionClasses:
        """Classes for one transaction, which says when what it added is stored."""
        return TransactionClasses(self._known)


class TransactionClasses:
    """Looks classes up for one transaction."""

    def __init__(self, known: dict[tuple[str, str], int]) -> None:
        self._known = known
        self._added: dict[tuple[str, str], int] = {}

    def stored(self) -> None:
        """The transaction has ended well: what it added is remembered for later ones."""
        if self._added:
            self._known.update(self._added)

    def of(self, run: Transaction, owner: ExperimentId, requirements: Mapping[str, float]) -> int:
        """The class of ``requirements`` among the tasks of ``owner``; made if it is new."""
        text = encode_requirements(requirements)
        key = (owner, text)
        found = self._known.get(key) or self._added.get(key)
        if found is None:
            found = self._added[key] = self._intern(run, owner, text)
        return found

    def _intern(self, run: Transaction, owner: ExperimentId, text: str) -> int:
        values = {"p_owner": owner, "p_requirements": text}
        row = run.row(task_rows.class_of, values) or run.row(task_rows.add_class, values)
        assert row is not None, "an INSERT returns its row"
        return int(row[0])


def encode_requirements(requirements: Mapping[str, float]) -> str:
    """The text that equal requirement sets share."""
    if not requirements:
        return "{}"
    numbers = {name: float(amount) for name, amount in requirements.items()}
    return orjson.dumps(numbers, option=orjson.OPT_SORT_KEYS).decode()


def decode_requirements(text: str) -> dict[str, float]:
    """The requirement set of a class."""
    return {} if text == "{}" else cast("dict[str, float]", orjson.loads(text))


def is_met(requirements: str, could: Could | None) -> bool:
    """Whether tasks of a class are for a claim; those that nobody can read any more are for none.

    Args:
        requirements: text of the class.
        could: what the claim takes; None takes any.
    """
    if could is None:
        return True
    try:
        return could(Requirements.parse(decode_requirements(requirements)))
    except RequirementsError:
        return False
