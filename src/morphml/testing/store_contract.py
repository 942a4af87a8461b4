"""What every store must do: one function for each behaviour, the same for every kind of store.

.. code-block:: python

    @pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: check.__name__)
    def test_my_store(check: Check, tmp_path: Path) -> None:
        clock = FakeClock()
        store = open_mine(tmp_path, clock=clock)
        with contextlib.closing(store):
            check(StoreCase(store=store, let_pass=clock.advance, lease_s=8.0))

Leases are judged by the database's clock. Where that cannot be set, ``let_pass`` sleeps and the
store is opened with a short lease.
"""

from __future__ import annotations

from morphml.testing.store import (
    attempts,
    claims,
    cluster,
    driving,
    knowledge,
    logs,
    mail,
    sessions,
    workers,
    workflows,
)
from morphml.testing.store.case import Check, StoreCase
from morphml.testing.store.script import Ask, DriverScript, Handed, sample_spec

#: Every behaviour; each check wants a fresh, empty store.
STORE_CONTRACT: tuple[Check, ...] = (
    *driving.CHECKS,
    *attempts.CHECKS,
    *claims.CHECKS,
    *sessions.CHECKS,
    *logs.CHECKS,
    *knowledge.CHECKS,
    *cluster.CHECKS,
    *mail.CHECKS,
    *workers.CHECKS,
    *workflows.CHECKS,
)

__all__ = [
    "STORE_CONTRACT",
    "Ask",
    "Check",
    "DriverScript",
    "Handed",
    "StoreCase",
    "sample_spec",
]
