"""Evaluators that sleep: slots in use, processors idle. Light to import, as children do."""

from __future__ import annotations

import time

#: Ends of what `sleep_unevenly` sleeps, in seconds.
SHORTEST_S, LONGEST_S = 0.2, 3.0


def sleep_one_second(arch, trial) -> float:
    """One second on a slot."""
    time.sleep(1.0)
    return float(arch.decisions["a"])


def sleep_unevenly(arch, trial) -> float:
    """0.2 to 3 s on a slot, by the trial's seed."""
    time.sleep(SHORTEST_S + (LONGEST_S - SHORTEST_S) * (trial.seed % 1000) / 999)
    return float(arch.decisions["a"])
