"""How long is waited for nodes, and for masters. No clock in here: times are handed in."""

from __future__ import annotations

from collections.abc import Iterable

from morphml.engines.ray.planning import Node

#: A worker that lived so many seconds was no failure of its node.
LASTING_S = 60.0
#: Seconds after which a node is taken as it is.
SETTLED_AFTER_S = 3.0


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


class Settling:
    """A node that has just come is whole, or becomes it: whoever waited for room runs there first.

    Our own wishes for room do: they are tasks that end at once, and a worker that is planned
    meanwhile would get what they leave.
    """

    def __init__(self) -> None:
        self._came: dict[str, float] = {}

    def knows(self, nodes: Iterable[Node]) -> bool:
        """Whether all were there before."""
        return all(node.id in self._came for node in nodes)

    def over(self, node: Node, now: float) -> bool:
        """Whether a worker may be planned there.

        Args:
            node: as it is now.
            now: monotonic seconds.
        """
        came = self._came.setdefault(node.id, now)
        whole = node.free.get("CPU", 0.0) >= node.total.get("CPU", 0.0)
        return whole or now - came >= SETTLED_AFTER_S


class Patience:
    """How long a worker goes on that no master confirms. Times are monotonic seconds.

    Args:
        give_up_after_s: without a master.
        now: when the worker began.
    """

    def __init__(self, give_up_after_s: float, now: float) -> None:
        self._give_up_after_s = give_up_after_s
        self._confirmed = now

    def is_over(self, now: float, *, confirmed: bool) -> bool:
        """Whether it is to end.

        Args:
            now: the time.
            confirmed: whether a master has it now.
        """
        if confirmed:
            self._confirmed = now
        return now - self._confirmed > self._give_up_after_s
