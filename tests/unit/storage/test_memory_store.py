"""The memory store passes the stores' contract; nothing here touches a disk."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from types import ModuleType

import pytest

from morphml.errors import StorageError
from morphml.storage import open_store
from morphml.testing.clock import FakeClock
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
)
from morphml.testing.store_contract import STORE_CONTRACT, Check, StoreCase


@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: check.__name__)
def test_memory_store_contract(check: Check) -> None:
    clock = FakeClock()
    with contextlib.closing(open_store(None, clock=clock)) as store:
        check(StoreCase(store=store, let_pass=clock.advance, lease_s=8.0))


MODULES = (attempts, claims, cluster, driving, knowledge, logs, mail, sessions, workers)


@pytest.mark.parametrize("module", MODULES)
def test_contract_leaves_no_check_out(module: ModuleType) -> None:
    written = {
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }
    assert written == set(module.CHECKS)


def test_memory_stores_know_nothing_of_each_other() -> None:
    with contextlib.closing(open_store(None)) as one, contextlib.closing(open_store(None)) as two:
        StoreCase(store=one, let_pass=lambda _: None, lease_s=8.0)
        assert len(one.experiments()) == 1
        assert two.experiments() == []


def test_closed_store_may_be_closed_again() -> None:
    with warnings.catch_warnings(action="error"):
        store = open_store(None)
        store.close()
        store.close()
    with pytest.raises(StorageError, match="was closed"):
        store.experiments()
