"""A SQLite database in memory: the same statements and behaviour as a file, nothing kept."""

from __future__ import annotations

from morphml.clock import Clock
from morphml.storage.hints import Hints, LocalHints
from morphml.storage.migrate import lay_tables
from morphml.storage.options import StoreOptions
from morphml.storage.sqlite.connection import Opener, Turn


class SqliteMemory:
    """One connection, which threads take in turns; gone when it is closed."""

    def __init__(self, options: StoreOptions, clock: Clock) -> None:
        """Make an empty store.

        Args:
            options: the statement time-out counts, durability does not.
            clock: the database's clock.
        """
        opener = Opener("file::memory:", "memory", options, clock)
        connection = opener.connect()
        lay_tables(connection)
        self._turn = opener.turn("BEGIN", connection)
        self._claimed = False
        self.hints: Hints = LocalHints()

    def writing(self) -> Turn:
        """See ``Database``."""
        return self._turn

    def beating(self) -> Turn:
        """See ``Database``."""
        return self._turn

    def reading(self) -> Turn:
        """See ``Database``."""
        return self._turn

    def claim(self) -> bool:
        """See ``Database``: no other process can reach this one's memory."""
        first, self._claimed = not self._claimed, True
        return first

    def release(self) -> None:
        """See ``Database``."""
        self._claimed = False

    def close(self) -> None:
        """See ``Database``."""
        self.hints.close()
        self._turn.close()
