"""The PostgreSQL store passes the stores' contract on a real server."""

from __future__ import annotations

import contextlib

import pytest

from morphml.storage import open_store
from morphml.testing.postgres import PrivateServer, ServerClock
from morphml.testing.store_contract import STORE_CONTRACT, Check, StoreCase


@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: check.__name__)
def test_postgres_store_contract(
    check: Check, postgres_server: PrivateServer, postgres_url: str
) -> None:
    clock = ServerClock(postgres_server, postgres_url.rpartition("/")[2])
    with contextlib.closing(open_store(postgres_url)) as store:
        check(StoreCase(store=store, let_pass=clock.advance, lease_s=8.0))
