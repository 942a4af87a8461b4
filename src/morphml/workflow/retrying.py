"""Whether a job whose attempt failed is tried again, and when."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.workflow.job import Job

#: Seconds before the first, second ... further attempt; the last one repeats.
DELAYS_S = (5.0, 10.0, 20.0)
#: Attempts that machines may lose before the job is given up.
MOST_LOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How often a job has failed, the last time included."""

    #: By its own fault: an exception, its time limit, its memory, a crash.
    own: int = 0
    #: By that of a machine: a worker that vanished or left, code or data that could not be had.
    lost: int = 0


def next_attempt(job: Job, failures: Failures, *, own: bool) -> float | None:
    """Seconds until the job is tried again; None when it is not.

    A machine's first fault costs no wait: another machine may be well.

    Args:
        job: which failed.
        failures: so far.
        own: whether the last one was the job's own.
    """
    if own:
        if failures.own > job.max_retries:
            return None
        return DELAYS_S[min(failures.own, len(DELAYS_S)) - 1]
    if failures.lost > MOST_LOST:
        return None
    return 0.0 if failures.lost == 1 else DELAYS_S[min(failures.lost - 1, len(DELAYS_S)) - 1]
