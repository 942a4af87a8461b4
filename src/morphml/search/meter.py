"""Where a search stands, as whoever drives it and whoever only watches it show it."""

from __future__ import annotations

from morphml.search.experiment import TrialState
from morphml.search.machine import SearchMachine
from morphml.search.progress import Progress


class Meter:
    """Measures one run of a search from here on.

    Args:
        machine: has folded what was stored before this run.
        began: when the run began, in seconds of a monotonic clock.
    """

    def __init__(self, machine: SearchMachine, began: float) -> None:
        self._machine = machine
        self._began = began
        self._ended_before = self._ended()
        self._most_slots = 0

    def progress(
        self, now: float, *, busy: int, slots: int, reason: str = "", waits_for: str = ""
    ) -> Progress:
        """Where the search stands.

        Args:
            now: seconds of the clock that ``began`` was read from.
            busy: attempts that run.
            slots: how many could.
            reason: why the search ended; empty while it runs.
            waits_for: what its trials need and no worker has; empty while some worker can.
        """
        machine = self._machine
        standing = machine.standing
        objective, best = machine.spec.objectives[0], standing.best
        self._most_slots = max(self._most_slots, slots)
        return Progress(
            name=machine.spec.name,
            taken=machine.next_number,
            budget=standing.budget.trials,
            counts={state.value: standing.counts[state] for state in TrialState},
            duplicates=standing.duplicates,
            rejections=standing.rejections,
            reused=standing.reused,
            busy=busy,
            slots=slots,
            most_slots=self._most_slots,
            objective=objective.name,
            best_value=None if best is None else objective.minimised(best[1][0]),
            best_number=None if best is None else best[0],
            elapsed_s=now - self._began,
            ended=self._ended() - self._ended_before,
            reason=reason,
            rungs=machine.segments.counts,
            waits_for=waits_for,
        )

    def _ended(self) -> int:
        machine = self._machine
        return machine.next_number - len(machine.pending) - len(machine.segments.paused)
