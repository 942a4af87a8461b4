"""Why an attempt failed, told apart because each kind is answered in another way."""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """The cause of a failed attempt, as seen by whoever ran it."""

    #: The evaluator raised, or broke its contract (NaN, missing objective).
    USER_ERROR = "user_error"
    #: The attempt needed more memory than its limit or the device has.
    OUT_OF_MEMORY = "out_of_memory"
    #: The attempt ran longer than its time limit and was killed.
    TIME_LIMIT = "time_limit"
    #: The child process died without an answer (signal, ``os._exit``).
    CRASH = "crash"
    #: The worker vanished with the attempt.
    LOST_WORKER = "lost_worker"
    #: The machine took the slot back (spot instance, node drain, higher priority).
    PREEMPTED = "preempted"
    #: It failed before user code began: import, data, CUDA, disk.
    INFRASTRUCTURE = "infrastructure"
