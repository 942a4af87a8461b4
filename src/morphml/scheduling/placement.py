"""Which worker gets an attempt: requirements first, then the least used share of slots.

Requirements are numbers by name. Those in ``RESOURCES`` are used up by what runs, so two attempts
that need ``{"gpu": 0.5}`` fit one GPU. All others are labels such as ``ssd``: a worker has them or
not, and any number of attempts may rely on one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from morphml.ids import AttemptToken

#: What an attempt takes away from a worker as long as it is there; bytes for memory and disk.
RESOURCES = frozenset({"cpu", "gpu", "memory", "disk"})
#: So much more than there is may be asked for, for sums of fractions such as three times 1/3.
_SLACK = 1e-9

Requirements: TypeAlias = Mapping[str, float]


@dataclass(slots=True)
class _Place:
    """A worker and what lies on it."""

    id: str
    name: str
    slots: int
    capabilities: Requirements
    held: dict[AttemptToken, Requirements] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    #: Whether it may be sent anything now.
    open: bool = True
    #: Number of the one heap entry that counts.
    version: int = 0

    @property
    def share(self) -> float:
        """The used share of its slots."""
        return len(self.held) / self.slots

    @property
    def free(self) -> int:
        return max(0, self.slots - len(self.held)) if self.open else 0

    def could(self, requirements: Requirements) -> bool:
        """Whether it could run the attempt if nothing else were there."""
        return all(
            self.capabilities.get(name, 0.0) + _SLACK >= needed
            for name, needed in requirements.items()
        )

    def can(self, requirements: Requirements) -> bool:
        """Whether what is left of it is enough."""
        return all(self.left(name) + _SLACK >= needed for name, needed in requirements.items())

    def left(self, name: str) -> float:
        return self.capabilities.get(name, 0.0) - self.taken.get(name, 0.0)


class Places:
    """All workers with what lies on them; finds the place for an attempt.

    Args:
        ahead: share of its slots for which a worker may be sent more than it can run at once.

    Cost: O(log workers) to place an attempt that any worker can run. Workers that lack what is
    needed are passed over one by one.
    """

    def __init__(self, ahead: float = 0.0) -> None:
        self._ahead = ahead
        self._places: dict[str, _Place] = {}
        #: (used share, version, id), least used first; an entry of an older version is void.
        self._heap: list[tuple[float, int, str]] = []
        self._versions = 0

    # --- what there is ---------------------------------------------------------------------------

    def put(
        self,
        worker: str,
        *,
        name: str,
        slots: int,
        capabilities: Requirements,
        held: Mapping[AttemptToken, Requirements],
    ) -> None:
        """A worker with all that lies on it now; one of the same id is replaced."""
        place = _Place(id=worker, name=name, slots=slots, capabilities=dict(capabilities))
        self._places[worker] = place
        for token, requirements in held.items():
            _take(place, token, requirements)
        self._enter(place)

    def remove(self, worker: str) -> None:
        """Forget a worker, known or not."""
        self._places.pop(worker, None)

    def open(self, worker: str, may_be_sent: bool) -> None:
        """Whether the worker may be sent anything from now on."""
        place = self._places.get(worker)
        if place is not None and place.open != may_be_sent:
            place.open = may_be_sent
            self._enter(place)

    def take(self, worker: str, token: AttemptToken, requirements: Requirements) -> None:
        """The attempt lies on the worker now, whether or not it fits."""
        place = self._places.get(worker)
        if place is not None:
            _take(place, token, requirements)
            self._enter(place)

    def give_back(self, worker: str, token: AttemptToken) -> None:
        """The attempt left the worker; nothing when it was not there."""
        place = self._places.get(worker)
        requirements = None if place is None else place.held.pop(token, None)
        if place is None or requirements is None:
            return
        for name, needed in requirements.items():
            if name in RESOURCES:
                place.taken[name] = max(0.0, place.taken[name] - needed)
        self._enter(place)

    # --- questions -------------------------------------------------------------------------------

    def choose(
        self, requirements: Requirements, avoid: Collection[str] = (), *, ahead: bool = False
    ) -> str | None:
        """The open worker with the least used share that has what is needed, or None.

        Args:
            requirements: what the attempt takes.
            avoid: names of workers, or of slots such as ``box/slot-3``, that come last.
            ahead: whether it may also wait at a worker whose slots are all taken.
        """
        passed: list[tuple[float, int, str]] = []
        second: str | None = None
        found: str | None = None
        while found is None and (entry := self._top()) is not None:
            place = self._places[entry[2]]
            if len(place.held) >= place.slots and not ahead:
                break  # all that follow are as full
            if len(place.held) < self._limit(place, ahead) and place.can(requirements):
                if not is_avoided(place.name, avoid):
                    found = place.id
                elif second is None:
                    second = place.id
            passed.append(heappop(self._heap))
        for entry in passed:
            heappush(self._heap, entry)
        return found or second

    def could_run(self, requirements: Requirements, avoid: Collection[str] = ()) -> bool:
        """Whether some open worker that need not be avoided could run it, busy as it may be.

        Cost: O(workers).
        """
        return any(
            place.open and place.could(requirements) and not is_avoided(place.name, avoid)
            for place in self._places.values()
        )

    def avoids(self, worker: str, avoid: Collection[str]) -> bool:
        """Whether a worker that is here is among those to avoid."""
        return is_avoided(self._places[worker].name, avoid)

    def slots(self) -> int:
        """Slots of all open workers. Cost: O(workers)."""
        return sum(place.slots for place in self._places.values() if place.open)

    def free(self) -> int:
        """Slots of open workers that nothing lies on. Cost: O(workers)."""
        return sum(place.free for place in self._places.values())

    def free_for(self, requirements: Requirements) -> int:
        """How many such attempts fit side by side now. Cost: O(workers)."""
        return sum(_room(place, requirements) for place in self._places.values())

    def held(self, worker: str) -> Collection[AttemptToken]:
        """What lies on the worker; empty for an unknown one."""
        place = self._places.get(worker)
        return () if place is None else place.held.keys()

    # --- the heap --------------------------------------------------------------------------------

    def _limit(self, place: _Place, ahead: bool) -> int:
        return place.slots + (math.ceil(self._ahead * place.slots) if ahead else 0)

    def _enter(self, place: _Place) -> None:
        self._versions += 1
        place.version = self._versions
        if place.open:
            heappush(self._heap, (place.share, place.version, place.id))
        if len(self._heap) > 4 * len(self._places) + 64:
            self._heap = [entry for entry in self._heap if self._counts(entry)]
            heapify(self._heap)

    def _counts(self, entry: tuple[float, int, str]) -> bool:
        place = self._places.get(entry[2])
        return place is not None and place.version == entry[1]

    def _top(self) -> tuple[float, int, str] | None:
        while self._heap and not self._counts(self._heap[0]):
            heappop(self._heap)
        return self._heap[0] if self._heap else None


def is_avoided(name: str, avoid: Iterable[str]) -> bool:
    """Whether a worker of this name, or a slot of it, is among those to avoid."""
    return any(each == name or each.startswith(f"{name}/") for each in avoid)


def _take(place: _Place, token: AttemptToken, requirements: Requirements) -> None:
    if token in place.held:
        return
    place.held[token] = requirements
    for name, needed in requirements.items():
        if name in RESOURCES:
            place.taken[name] = place.taken.get(name, 0.0) + needed


def _room(place: _Place, requirements: Requirements) -> int:
    if not place.free or not place.can(requirements):
        return 0
    room = float(place.free)
    for name, needed in requirements.items():
        if name in RESOURCES and needed > 0:
            room = min(room, math.floor((place.left(name) + _SLACK) / needed))
    return int(room)
