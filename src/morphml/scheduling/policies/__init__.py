"""Policies: who goes first, and where. One small file each."""

from morphml.scheduling.policies.contract import (
    DEFAULT_PRIORITY,
    PRIORITIES,
    Choice,
    Ended,
    Left,
    Observation,
    Placed,
    Policy,
    Queue,
    Request,
)
from morphml.scheduling.policies.registry import (
    DEFAULT_POLICY,
    POLICIES,
    create_policy,
    policy_names,
)

__all__ = [
    "DEFAULT_POLICY",
    "DEFAULT_PRIORITY",
    "POLICIES",
    "PRIORITIES",
    "Choice",
    "Ended",
    "Left",
    "Observation",
    "Placed",
    "Policy",
    "Queue",
    "Request",
    "create_policy",
    "policy_names",
]
