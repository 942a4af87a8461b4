"""Attempts that a worker has and this master does not know, until the store has said whose."""

from __future__ import annotations

from dataclasses import dataclass, field

from morphml.engines.port import Finished, Logged, Reported, Started
from morphml.engines.remote.messages import AttemptName
from morphml.ids import AttemptToken, ExperimentId

#: Events of one unknown attempt that are kept; further ones are dropped.
_MOST = 200


@dataclass(slots=True)
class Unknown:
    """An attempt in limbo."""

    name: AttemptName
    worker: str
    #: Whether the store is being asked; else its end here has to be stored first.
    asked: bool
    #: What its worker told meanwhile.
    events: list[Started | Reported] = field(default_factory=list)
    end: Finished | None = None


class Limbo:
    """All unknown attempts."""

    def __init__(self) -> None:
        self._unknown: dict[AttemptToken, Unknown] = {}

    def add(self, name: AttemptName, worker: str, *, asked: bool) -> bool:
        """Put an attempt in; False when it was there already."""
        if name.token in self._unknown:
            return False
        self._unknown[name.token] = Unknown(name=name, worker=worker, asked=asked)
        return True

    def get(self, token: AttemptToken) -> Unknown | None:
        """The attempt, if it is here."""
        return self._unknown.get(token)

    def pop(self, token: AttemptToken) -> Unknown | None:
        """Take the attempt out."""
        return self._unknown.pop(token, None)

    def keep(self, unknown: Unknown, event: Started | Reported | Logged | Finished) -> None:
        """Keep an event until the attempt is known; log lines are dropped."""
        if isinstance(event, Finished):
            unknown.end = event
        elif not isinstance(event, Logged) and len(unknown.events) < _MOST:
            unknown.events.append(event)

    def count(self, owner: ExperimentId) -> int:
        """How many of one experiment, or execution, have not ended."""
        return sum(each.name.owner == owner and not each.end for each in self._unknown.values())

    def deferred(self) -> list[Unknown]:
        """Those for which the store has not been asked yet."""
        return [each for each in self._unknown.values() if not each.asked]

    def drop(self, worker: str) -> None:
        """Forget all of a worker that is not here any more."""
        for token in [t for t, each in self._unknown.items() if each.worker == worker]:
            del self._unknown[token]

    def clear(self) -> None:
        """Forget all."""
        self._unknown.clear()
