"""How many requests a client may make: a bucket of tokens for each."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from morphml.clock import Clock

#: Clients that are remembered; the one longest ago is forgotten first.
MOST_CLIENTS = 4096


class Rates:
    """Buckets by client; may be used from several threads.

    Args:
        rate: requests a second, > 0; twice as many may come at once.
        clock: monotonic time.
    """

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._most = max(2.0 * rate, 1.0)
        self._clock = clock
        #: Left in each bucket, and when that was counted.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait_s(self, client: str) -> float:
        """Take one request out of the client's bucket; seconds to wait where it is empty, else 0.

        Cost: O(1).
        """
        now = self._clock.monotonic()
        with self._lock:
            left, at = self._buckets.pop(client, (self._most, now))
            left = min(self._most, left + (now - at) * self._rate)
            wait = 0.0 if left >= 1.0 else (1.0 - left) / self._rate
            self._buckets[client] = (left if wait else left - 1.0, now)
            if len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
        return wait
