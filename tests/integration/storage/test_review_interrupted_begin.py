"""Ctrl-C at the beginning of a transaction."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from morphml.storage import open_store
from morphml.testing.store_contract import sample_spec


def test_interrupt_while_a_transaction_begins_leaves_none_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with (
        contextlib.closing(open_store(path)) as store,
        contextlib.closing(
            sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        ) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.4, other.execute, ("COMMIT",))
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            timer.start()
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                store.create_experiment(sample_spec())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            timer.join()
        store.create_experiment(sample_spec())
        assert len(store.experiments()) == 1
