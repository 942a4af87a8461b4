"""What a finished experiment says about the next one: durations and the time between tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from morphml.errors import CallerError
from morphml.search.changes import AttemptRecord, AttemptResult
from morphml.testing.simulator.durations import Measured

#: Attempts that took the time that such a task takes; the others failed or were taken back.
_RAN = frozenset({AttemptResult.SUCCEEDED, AttemptResult.PAUSED, AttemptResult.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Figures of an experiment."""

    durations: Measured
    #: Median seconds that a slot stood still between two attempts; 0 where no slot had two.
    overhead_s: float

    @classmethod
    def of(cls, attempts: Iterable[AttemptRecord]) -> Finished:
        """The figures of all attempts with a result.

        Raises:
            CallerError: there is none.
        """
        ended = list(attempts)
        seconds = [each.duration_s for each in ended if each.result in _RAN]
        if not any(each > 0 for each in seconds):
            raise CallerError("the experiment has no result yet: there are no durations to take")
        between = gaps((each.worker, each.started_at, each.duration_s) for each in ended)
        return cls(durations=Measured.of(seconds), overhead_s=median(between) if between else 0.0)


def gaps(spans: Iterable[tuple[str, float, float]]) -> list[float]:
    """Seconds for which each slot stood still between two attempts, in no order that counts.

    Args:
        spans: (slot, seconds at which an attempt began there, seconds that it took).
    """
    by_slot: dict[str, list[tuple[float, float]]] = {}
    for slot, begun, seconds in spans:
        by_slot.setdefault(slot, []).append((begun, begun + seconds))
    found = []
    for lived in by_slot.values():
        lived.sort()
        ends = [end for _, end in lived[:-1]]
        begins = [begun for begun, _ in lived[1:]]
        found += [max(0.0, b - e) for e, b in zip(ends, begins, strict=True)]
    return found
