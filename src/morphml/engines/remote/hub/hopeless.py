"""Says in the log what waits although no worker that is here could ever run it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from morphml.engines.remote.hub.views import WaitingView
from morphml.ids import ExperimentId
from morphml.scheduling.resources import Capacity, Requirements, missing, words

_LOG = logging.getLogger(__name__)


class Hopeless:
    """Remembers what was said, so that it is said once for as long as it lasts.

    Args:
        after_s: time for which it must last before it is said.
        workers: tells what each worker that is here has; asked only when something is said.
    """

    def __init__(self, after_s: float, workers: Callable[[], Sequence[Capacity]]) -> None:
        self._after_s = after_s
        self._workers = workers
        #: Since when, in monotonic seconds; None once it was said.
        self._since: dict[tuple[ExperimentId, str], float | None] = {}

    def look(self, waiting: Iterable[WaitingView], now: float) -> None:
        """Say what is new among what waits now."""
        found = {
            (view.experiment, words(Requirements.parse(view.requirements))): view
            for view in waiting
            if not view.feasible
        }
        self._since = {key: self._since.get(key, now) for key in found}
        for key, since in self._since.items():
            if since is not None and now - since >= self._after_s:
                self._since[key] = None
                lacks = missing(Requirements.parse(found[key].requirements), self._workers())
                _LOG.warning(
                    "experiment %s: %d attempts wait for a worker with %s, and none of those here "
                    "could run them: %s; start one, or change the experiment's resources",
                    key[0],
                    found[key].count,
                    key[1],
                    "; ".join(str(lack) for lack in lacks) or "they must avoid those that could",
                )
