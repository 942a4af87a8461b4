"""What tasks need, what workers have, and what is left of it: the one place that matches the two.

Needs and offers travel as mappings of names to numbers. ``Requirements.parse`` and
``Capacity.parse`` read them; ``Holdings`` gives out what one worker has; ``missing`` tells people
why a task can run nowhere.
"""

from morphml.scheduling.resources.capacity import Capacity, Gpu
from morphml.scheduling.resources.holdings import Allocation, Holdings
from morphml.scheduling.resources.missing import Missing, missing, words
from morphml.scheduling.resources.requirements import NOTHING, GpuNeed, Requirements

__all__ = [
    "NOTHING",
    "Allocation",
    "Capacity",
    "Gpu",
    "GpuNeed",
    "Holdings",
    "Missing",
    "Requirements",
    "missing",
    "words",
]
