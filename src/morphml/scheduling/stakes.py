"""What each experiment has of the workers, and what is known of its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from morphml.ids import ExperimentId

#: Weight of the newest duration in the mean.
_NEWEST = 0.1


@dataclass(slots=True, eq=False)
class Stake:
    """One experiment."""

    experiment: ExperimentId
    #: Slots that it may use; decides only who goes first.
    share: int = 1
    #: Its attempts that lie at workers.
    used: int = 0
    #: Its tasks that wait.
    waiting: int = 0
    #: Tasks that it will still bring; None where nobody knows.
    more: int | None = None
    #: Mean duration of its last attempts, in seconds; None before the first.
    mean_s: float | None = None

    @property
    def load(self) -> float:
        """How much of its share it uses: who uses least goes first."""
        return self.used / max(1, self.share)

    def learn(self, duration_s: float) -> None:
        """Count a duration in the mean."""
        mean = self.mean_s
        self.mean_s = duration_s if mean is None else mean + _NEWEST * (duration_s - mean)


class Stakes:
    """All experiments that were heard of."""

    def __init__(self) -> None:
        self._stakes: dict[ExperimentId, Stake] = {}

    def of(self, experiment: ExperimentId) -> Stake:
        """The experiment's; a new one when it was not heard of."""
        found = self._stakes.get(experiment)
        if found is None:
            found = self._stakes[experiment] = Stake(experiment)
        return found

    def forget(self, experiment: ExperimentId) -> None:
        """The experiment is over."""
        self._stakes.pop(experiment, None)

    def __iter__(self) -> Iterator[Stake]:
        """All, in the order in which they came."""
        return iter(self._stakes.values())
