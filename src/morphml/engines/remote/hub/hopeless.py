"""Says in the log what waits although no worker that is here could ever run it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from morphml.engines.remote.hub.views import WaitingView
from morphml.ids import ExperimentId

_LOG = logging.getLogger(__name__)


class Hopeless:
    """Remembers what was said, so that it is said once for as long as it lasts.

    Args:
        after_s: time for which it must last before it is said.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        #: Since when, in monotonic seconds; None once it was said.
        self._since: dict[tuple[ExperimentId, str], float | None] = {}

    def look(self, waiting: Iterable[WaitingView], now: float) -> None:
        """Say what is new among what waits now."""
        found = {
            (view.experiment, _words(view.requirements)): view
            for view in waiting
            if not view.feasible
        }
        self._since = {key: self._since.get(key, now) for key in found}
        for key, since in self._since.items():
            if since is not None and now - since >= self._after_s:
                self._since[key] = None
                _LOG.warning(
                    "experiment %s: %d attempts wait for a worker with %s, and none of those here "
                    "has that; start one, or change the experiment's resources",
                    key[0],
                    found[key].count,
                    key[1],
                )


def _words(requirements: Mapping[str, float]) -> str:
    needs = ", ".join(f"{name} {needed:g}" for name, needed in sorted(requirements.items()))
    return needs or "a slot"
