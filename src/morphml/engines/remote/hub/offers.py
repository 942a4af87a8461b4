"""What the workers of a hub could run, asked with requirements in the form that travels."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from morphml.scheduling.fleet import Fleet
from morphml.scheduling.resources import Requirements


class Offers:
    """Answers for one fleet.

    Args:
        fleet: all workers.

    Raises:
        RequirementsError: each method, when requirements make no sense.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def could_run(self, requirements: Mapping[str, float], avoid: Collection[str] = ()) -> bool:
        """Whether a worker that need not be avoided could run such attempts, busy as it may be."""
        return self._fleet.could_run(Requirements.parse(requirements), avoid)
