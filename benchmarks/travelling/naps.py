"""Evaluators of searches on workers: this folder travels to them as a bundle of source."""

from __future__ import annotations

import time


def one_second(arch, trial) -> float:
    """One second on a slot."""
    time.sleep(1.0)
    return float(arch.decisions["a"])


def still(arch, trial) -> float:
    """One second on a slot, whatever the space."""
    time.sleep(1.0)
    return 0.0


def unevenly(arch, trial) -> float:
    """0.2 to 3 s on a slot, by the trial's seed."""
    time.sleep(0.2 + 2.8 * (trial.seed % 1000) / 999)
    return float(arch.decisions["a"])


def nothing(arch, trial) -> float:
    """At once."""
    return float(arch.decisions["a"])


def moment(arch, trial) -> float:
    """The hour at which user code begins, in seconds since the Unix epoch."""
    return time.time()
