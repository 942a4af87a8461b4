"""Which experiments have had nothing to do at a worker for long. No clock in here."""

from __future__ import annotations

from collections.abc import Collection

from morphml.ids import ExperimentId


class Quiet:
    """Since when experiments have no attempts.

    Args:
        linger_s: seconds that an experiment is kept without any.
    """

    def __init__(self, linger_s: float) -> None:
        self._linger_s = linger_s
        self._since: dict[ExperimentId, float] = {}

    def over(
        self, known: Collection[ExperimentId], busy: Collection[ExperimentId], now: float
    ) -> list[ExperimentId]:
        """Those of ``known`` that were not busy for so long that they are to be forgotten."""
        since = {
            experiment: self._since.get(experiment, now)
            for experiment in known
            if experiment not in busy
        }
        found = [name for name, at in since.items() if now >= at + self._linger_s]
        self._since = {name: at for name, at in since.items() if name not in found}
        return found
