"""Which workers hold which data: the newest few of each key, for a bounded number of keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable

#: Keys, such as names of data sets and of checkpoints, that are remembered.
_MOST_KEYS = 10_000
#: Workers that are remembered for each key.
_MOST_WORKERS = 16


class Locality:
    """Remembers who got what."""

    def __init__(self) -> None:
        #: Key -> workers, newest last; keys used last are last.
        self._holders: dict[str, dict[str, None]] = {}

    def learn(self, worker: str, keys: Iterable[str]) -> None:
        """The worker has these from now on."""
        for key in keys:
            holders = self._holders.pop(key, {})
            holders.pop(worker, None)
            holders[worker] = None
            if len(holders) > _MOST_WORKERS:
                del holders[next(iter(holders))]
            self._holders[key] = holders
            if len(self._holders) > _MOST_KEYS:
                del self._holders[next(iter(self._holders))]

    def holders(self, key: str) -> Collection[str]:
        """Workers that have it, at most sixteen, those that got it last at the end."""
        return self._holders.get(key, {}).keys()

    def forget(self, worker: str) -> None:
        """The worker has nothing any more. Cost: O(keys)."""
        for holders in self._holders.values():
            holders.pop(worker, None)
