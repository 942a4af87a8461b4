"""The order in which tasks of one experiment are claimed, among those of all others."""

from __future__ import annotations

from morphml.ids import ExperimentId
from morphml.scheduling.policies.contract import Policy, Request
from morphml.scheduling.policies.priority import Priority


class Ranking:
    """Ranks tasks at enqueue by the store's one policy, priority with ageing.

    Args:
        experiment: whose tasks.
        priority: 1 to 10; higher goes first.
    """

    def __init__(self, experiment: ExperimentId, priority: int) -> None:
        self._experiment = experiment
        self._priority = priority
        self._policy: Policy = Priority()

    def __call__(self, ready_at: float) -> float:
        """The rank of a task that may run from ``ready_at`` (Unix seconds); smaller goes first."""
        return self._policy.rank(
            Request(experiment=self._experiment, first_ready_at=ready_at, priority=self._priority)
        )
