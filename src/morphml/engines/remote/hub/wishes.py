"""What drivers want of a hub as a whole, and what of it waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from morphml.engines.port import Returned
from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.hub.dispatch import Dispatch
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.views import WaitingView
from morphml.ids import ExperimentId


class Wishes:
    """Shares and prospects of experiments, and the attempts that wait for a worker.

    Args:
        ledger: all attempts, experiments and workers.
        dispatch: has what waits.
    """

    def __init__(self, ledger: Ledger, dispatch: Dispatch) -> None:
        self._ledger = ledger
        self._dispatch = dispatch

    def share(self, experiment: ExperimentId, slots: int) -> None:
        """So many slots the experiment may use now; decides only who goes first."""
        if experiment in self._ledger.groups:
            self._ledger.scheduler.share(experiment, slots)

    def expect(self, experiment: ExperimentId, more: int) -> None:
        """So many tasks the experiment will still bring."""
        if experiment in self._ledger.groups:
            self._ledger.scheduler.expect(experiment, more)

    def demand(self) -> int:
        """Tasks that are here, and those that are expected. Cost: O(experiments)."""
        return sum(
            each.used + each.waiting + (each.more or 0) for each in self._ledger.scheduler.stakes
        )

    def ahead(self, experiment: ExperimentId) -> float:
        """How much may lie at workers beyond their slots, as a share of those."""
        if experiment not in self._ledger.groups:
            return 0.0
        return self._ledger.scheduler.ahead(experiment)

    def waiting(self) -> list[WaitingView]:
        """What waits, and whether it waits for nothing. Cost: O(what waits)."""
        counts = Counter(
            (attempt.name.owner, tuple(sorted(attempt.requirements.items())))
            for attempt in self._dispatch.waiting()
        )
        return [
            WaitingView(
                experiment=experiment,
                requirements=dict(requirements),
                count=count,
                feasible=self._ledger.offers.could_run(dict(requirements)),
            )
            for (experiment, requirements), count in counts.items()
        ]

    def send_back(
        self, experiment: ExperimentId, requirements: Mapping[str, float], now: Moment
    ) -> None:
        """Let go of what waits here with these requirements: it ends as ``Returned``."""
        for attempt in list(self._dispatch.waiting()):
            if attempt.name.owner == experiment and attempt.requirements == requirements:
                self._ledger.end_as(attempt, Returned(), now, lost=False)
