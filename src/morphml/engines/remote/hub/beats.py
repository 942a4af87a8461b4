"""Beats that came alone are heard and answered together, a few times a second.

A thousand workers that each beat once in ten seconds would else wake the event loop two hundred
times a second, for as many messages and answers. Nothing waits for a beat: it is late by less than
the network may make it, and whatever else its worker says is heard after it.
"""

from __future__ import annotations

from morphml.engines.remote.hub.connection import Connection
from morphml.engines.remote.hub.reading import Said
from morphml.engines.remote.messages import Beat


class Beats:
    """The beats since the last turn; used on the event loop only."""

    def __init__(self) -> None:
        self._waiting: dict[Connection, list[Said]] = {}

    def sift(self, connection: Connection, said: list[Said]) -> list[Said]:
        """What is to be heard now: what waited, and this message unless it is a beat and no more.

        Args:
            connection: where the message came.
            said: all that it says.
        """
        before = self._waiting.pop(connection, [])
        if len(said) == 1 and isinstance(said[0], Beat):
            self._waiting[connection] = said
            return before
        return before + said

    def take(self) -> dict[Connection, list[Said]]:
        """All that waits."""
        waiting, self._waiting = self._waiting, {}
        return waiting
