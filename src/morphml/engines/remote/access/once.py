"""What is said once for each peer, however often it comes."""

from __future__ import annotations

from collections import OrderedDict

#: Peers remembered as logged already; the one longest ago is forgotten first.
MOST_PEERS = 1024


class Once:
    """Remembers what was seen, of a bounded number of things."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def first(self, thing: tuple[str, str]) -> bool:
        """Whether it is seen for the first time."""
        if thing in self._seen:
            self._seen.move_to_end(thing)
            return False
        self._seen[thing] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True
