"""When a node gets another worker after one that did not last. No clock in here."""

from __future__ import annotations

#: A worker that lived so many seconds was no failure of its node.
LASTING_S = 60.0


class Pauses:
    """Doubles the pause of a node with each worker that ended soon.

    Args:
        backoff_s: the first and the longest pause in seconds.
    """

    def __init__(self, backoff_s: tuple[float, float]) -> None:
        self._first_s, self._longest_s = backoff_s
        self._pauses: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def failed(self, node: str, lived_s: float, now: float) -> float:
        """A worker ended there; the seconds until the next may be started."""
        before = 0.0 if lived_s >= LASTING_S else self._pauses.get(node, 0.0)
        pause_s = min(max(2 * before, self._first_s), self._longest_s)
        self._pauses[node] = pause_s
        self._until[node] = now + pause_s
        return pause_s

    def over(self, node: str, now: float) -> bool:
        """Whether the node may get a worker."""
        return now >= self._until.get(node, now)
