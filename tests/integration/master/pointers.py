"""Waits for what a driver commits beside an evaluator that goes on."""

from __future__ import annotations

import contextlib
import sqlite3
import time


def await_pointer(store: str, number: int, step: int) -> None:
    """Return when the store points at the checkpoint of a trial after so many epochs.

    Raises:
        AssertionError: when it does not within 90 s.
    """
    end = time.monotonic() + 90.0
    query = "SELECT max(step) FROM artifacts WHERE number = ?"
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as base:
        while base.execute(query, (number,)).fetchone() != (step,):
            assert time.monotonic() < end, f"no pointer to trial {number} after epoch {step}"
            time.sleep(0.01)
