"""Which experiments each child holds, and which are better not loaded before they are needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from morphml.engines.local.frames import encode, payload_header
from morphml.engines.local.handle import ChildHandle
from morphml.ids import ExperimentId

#: Sends bytes to a child without waiting.
Send = Callable[..., None]


class Lessons:
    """Experiments as payloads, and how they get into children.

    A child loads every experiment as soon as it is there, so that its first attempt need not wait.
    An experiment whose loading ended a child is loaded from then on only for attempts of its own:
    otherwise it would keep the children from everybody else's.

    Args:
        send: sends bytes to a child.
        patience_s: seconds that loading may take.
    """

    def __init__(self, send: Send, patience_s: float) -> None:
        self._send = send
        self._patience_s = patience_s
        self._payloads: dict[ExperimentId, bytes] = {}
        self._dangerous: set[ExperimentId] = set()

    def __contains__(self, experiment: ExperimentId) -> bool:
        """Whether the experiment is known."""
        return experiment in self._payloads

    def learn(
        self,
        experiment: ExperimentId,
        payload: bytes,
        children: Iterable[ChildHandle],
        now: float,
    ) -> list[ChildHandle]:
        """Take an experiment, or a new version of one, and teach it to children that are free.

        Returns:
            The children that are busy loading the old version, and better ended.
        """
        self._payloads[experiment] = payload
        self._dangerous.discard(experiment)
        stuck = []
        for child in children:
            child.known.discard(experiment)
            if experiment in child.loading and child.attempt is None:
                stuck.append(child)
            elif child.ready and child.attempt is None:
                self._give(child, experiment, now)
        return stuck

    def forget(self, experiment: ExperimentId) -> None:
        """The experiment is over; children that hold it are not told."""
        self._payloads.pop(experiment, None)
        self._dangerous.discard(experiment)

    def teach(self, child: ChildHandle, experiment: ExperimentId, now: float) -> None:
        """Have the child load one experiment, unless it has it."""
        if experiment not in child.known:
            self._give(child, experiment, now)

    def teach_all(
        self, child: ChildHandle, experiments: Iterable[ExperimentId], now: float
    ) -> None:
        """Have a fresh child load what it may need."""
        for experiment in experiments:
            if experiment not in self._dangerous:
                self.teach(child, experiment, now)

    def overdue(self, child: ChildHandle, now: float) -> bool:
        """Whether a child without an attempt takes too long to load something."""
        since = min(child.loading.values(), default=math.inf)
        return now >= since + self._patience_s

    def blame(self, child: ChildHandle) -> None:
        """A child ended; what it was loading at that time is to be loaded with care."""
        for experiment in child.loading:
            self._dangerous.add(experiment)
            return  # they are loaded in order; the others are innocent

    def _give(self, child: ChildHandle, experiment: ExperimentId, now: float) -> None:
        child.known.add(experiment)
        child.loading.pop(experiment, None)
        child.loading[experiment] = now
        payload = self._payloads[experiment]
        announcement = encode({"do": "context", "experiment": experiment})
        self._send(child, announcement, payload_header(payload), payload)
