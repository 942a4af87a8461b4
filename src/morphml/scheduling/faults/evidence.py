"""Which workers have shown which failures: what others show as well is no fault of one worker."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container

from morphml.scheduling.failures import ANSWERS
from morphml.scheduling.faults.events import Broke

#: Failures that are remembered; the ones seen longest ago are forgotten first.
_REMEMBERED = 4096
#: Workers that are remembered for one failure.
_WITNESSES = 8


class Evidence:
    """Failures by what is equal about them, and the workers that showed them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def add(self, event: Broke, shut: Container[str]) -> tuple[str, ...] | None:
        """Take a failure in; the other workers that have shown it too, None where it cannot count.

        Args:
            event: the failure.
            shut: workers whose breaker is not closed: what they show says nothing of the others.

        Returns:
            Workers that are not shut off and showed the same; empty where this one alone did.
        """
        if not ANSWERS[event.kind].against_worker:
            return None
        key = (event.experiment, event.evidence)
        workers = self._seen.pop(key, ())
        if event.worker not in workers:
            workers = (*workers, event.worker)[-_WITNESSES:]
        self._seen[key] = workers
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return tuple(each for each in workers if each != event.worker and each not in shut)
