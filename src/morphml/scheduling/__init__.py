"""Pure machines of scheduling: task, worker, breaker, leases, retries and policies."""

from morphml.scheduling.failures import FailureKind

__all__ = ["FailureKind"]
