"""The order in which tasks of one experiment are claimed, among those of all others."""

from __future__ import annotations

from morphml.ids import ExperimentId
from morphml.scheduling.policies import DEFAULT_POLICY, Policy, Request, create_policy

#: Requests by whose ranks two rules are compared: who came first, and who matters more.
_SAMPLES = tuple(
    Request(experiment=ExperimentId(""), first_ready_at=at, priority=priority)
    for at, priority in ((0.0, 1), (0.0, 10), (1000.0, 5))
)


class Ranking:
    """Ranks tasks at enqueue by the policy of the masters.

    Args:
        experiment: whose tasks.
        priority: 1 to 10; higher goes first.
        policy: name of the policy.

    Raises:
        SchedulingError: when there is no such policy.
    """

    def __init__(
        self, experiment: ExperimentId, priority: int, policy: str = DEFAULT_POLICY
    ) -> None:
        self.experiment = experiment
        self._priority = priority
        self._policy: Policy = create_policy(policy)

    @property
    def weighs(self) -> bool:
        """Whether the policy looks at what tasks cost."""
        return self._policy.weighs

    def __call__(self, ready_at: float) -> float:
        """The rank of a task that may run from ``ready_at`` (Unix seconds); smaller goes first."""
        return self._policy.rank(
            Request(experiment=self.experiment, first_ready_at=ready_at, priority=self._priority)
        )


def rank_rule(policy: str) -> tuple[float, ...]:
    """What two policies have in common that rank tasks alike: the ranks of a few requests.

    Raises:
        SchedulingError: when there is no such policy.
    """
    made = create_policy(policy)
    return tuple(made.rank(request) for request in _SAMPLES)
