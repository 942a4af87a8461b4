"""Priorities with ageing: who waits long enough goes before whoever is more important."""

from __future__ import annotations

import math

from morphml.errors import ExperimentError, SchedulingError
from morphml.scheduling.policies.contract import PRIORITIES, Request

#: Seconds of waiting that are worth one step of priority.
AGE_STEP_S = 60.0


def aged_rank(request: Request, age_step_s: float) -> float:
    """When the task became ready, minus what its priority is worth.

    The rank is a constant, so claims stay a walk along an index: of two tasks the one with the
    smaller ``first_ready_at - priority * age_step_s`` goes first, at whatever time one asks.

    Raises:
        ExperimentError: the priority is not from 1 to 10.
    """
    low, high = PRIORITIES
    if not low <= request.priority <= high:
        raise ExperimentError(f"priority: from {low} to {high}, got {request.priority}")
    return request.first_ready_at - request.priority * age_step_s


def checked_age_step(age_step_s: float) -> float:
    """The setting, when it is usable.

    Raises:
        SchedulingError: it is not a time above 0.
    """
    if not 0.0 < age_step_s < math.inf:
        raise SchedulingError(f"age_step_s: a time above 0 s, got {age_step_s}")
    return age_step_s
