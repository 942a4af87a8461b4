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

        def interrupt_and_let_go() -> None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
            other.execute("COMMIT")

        # By then it waits for the other's transaction, which does not end before the interrupt.
        timer = threading.Timer(0.3, interrupt_and_let_go)
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                store.create_experiment(sample_spec())
        finally:
            timer.join()
            signal.signal(signal.SIGALRM, before)
        store.create_experiment(sample_spec())
        assert len(store.experiments()) == 1
