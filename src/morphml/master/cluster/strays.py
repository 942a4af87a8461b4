"""Attempts that this master holds for others and has not: what a lost answer leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.storage import SqlStore

log = logging.getLogger(__name__)

#: Seconds after which they go back; an adoption may be stored and its worker not yet known.
AFTER_S = 3.0


class Strays:
    """Gives back what was claimed for another master's experiment and never reached the hub.

    A claim may be stored and its answer lost with the connection. As long as its session lives
    nobody would run the task: its driver believes it to be here.

    Args:
        store: says what is held.
        session: of this master.
        running: attempts of an experiment that the hub knows.
    """

    def __init__(
        self,
        store: SqlStore,
        session: SessionId,
        running: Callable[[ExperimentId], Collection[AttemptToken]],
    ) -> None:
        self._store = store
        self._session = session
        self._running = running
        #: Since when each is missing, in monotonic seconds.
        self._missing: dict[AttemptToken, float] = {}

    def give_back(self, driven_here: Collection[ExperimentId], now: float) -> None:
        """Look, and give back what was missing for long enough.

        Args:
            driven_here: experiments whose drivers do this for themselves, between their commits.
            now: monotonic seconds.
        """
        held = self._store.leases.held(self._session)
        seen: dict[AttemptToken, float] = {}
        for experiment, attempts in held.items():
            if experiment in driven_here:
                continue
            here = self._running(experiment)
            gone = []
            for number, token in attempts:
                if token in here:
                    continue
                since = seen[token] = self._missing.get(token, now)
                if now - since >= AFTER_S:
                    gone.append((number, token))
            if gone:
                log.warning(
                    "experiment %s: %d tasks that nobody runs go back", experiment, len(gone)
                )
                self._store.leases.give_back(experiment, gone)
        self._missing = seen
