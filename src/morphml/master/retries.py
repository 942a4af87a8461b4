"""Whether a failed attempt is tried again, with what the experiment has seen of its error."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

from morphml.ids import TaskId
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import Failure, FailureKind
from morphml.scheduling.faults import FaultToleranceManager
from morphml.scheduling.retry import ErrorSightings, RetryDecision


class Retries:
    """The rules of faults for one run.

    Args:
        faults: decides.
        slots: how many slots there are now, since a retry wants another one.
        sightings: which errors were seen on which workers so far; None in a deterministic search,
            where chance (which worker showed an error first) may not decide the history.
    """

    def __init__(
        self,
        faults: FaultToleranceManager,
        slots: Callable[[], int],
        sightings: ErrorSightings | None,
    ) -> None:
        self.faults = faults
        self._slots = slots
        self._sightings = sightings

    def decide(self, task: TaskId, history: Sequence[Mapping[str, JSON]]) -> RetryDecision:
        """What follows the last failure of ``history``, which is counted as seen.

        Args:
            task: seeds the jitter of the delay.
            history: the failures of the task, oldest first; at least one.
        """
        failures = [failure_of(document) for document in history]
        return self.faults.retry(
            failures,
            seed=zlib.crc32(task.encode()),
            seen_on=0 if self._sightings is None else self._sightings.add(failures[-1]),
            elsewhere=self._slots() > 1,
        )


def failure_of(document: Mapping[str, JSON]) -> Failure:
    """A failure as the retry rule sees it, from the document that is stored with its attempt."""
    return Failure(
        kind=FailureKind(str(document["kind"])),
        at=float(str(document.get("at", 0.0))),
        worker=str(document.get("worker", "")),
        digest=str(document.get("digest", "")),
        alone=document.get("alone") is True,
        gpus=str(document.get("gpus", "")),
    )


def lost_attempt(*, alone: bool) -> dict[str, JSON]:
    """The failure of an attempt whose master ended: nobody saw how far it came.

    Args:
        alone: no other attempt was lost with it.
    """
    return {
        "kind": FailureKind.LOST_WORKER.value,
        "error_type": "",
        "message": "the process that ran it ended",
        "traceback": "",
        "digest": "",
        "alone": alone,
        "worker": "",
        "at": 0.0,
    }
