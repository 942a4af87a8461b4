"""A database behind something that swallows what is said: connections stand, and nobody answers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.faults.cluster.proxy import Line, Proxy

from morphml.errors import StoreUnavailable
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.testing.store_contract import sample_spec

#: Seconds that a statement may take here, and what a silent server may take of anybody's time.
LIMIT_S, PATIENCE_S = 3.0, 90.0


@pytest.fixture
def line(postgres_url: str) -> Iterator[Proxy]:
    parts = conninfo_to_dict(postgres_url)
    with Proxy(f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}") as made:
        yield made


@pytest.fixture
def store(line: Proxy, postgres_url: str) -> Iterator[SqlStore]:
    parts = conninfo_to_dict(postgres_url)
    _, _, port = line.address.rpartition(":")
    url = f"postgresql://{parts['user']}@127.0.0.1:{port}/{parts['dbname']}"
    options = StoreOptions(statement_timeout_s=LIMIT_S, connect_timeout_s=5.0)
    with contextlib.closing(open_store(url, options)) as made:
        yield made


def test_nobody_waits_for_ever_for_a_database_that_says_nothing(
    line: Proxy, store: SqlStore
) -> None:
    experiment = store.create_experiment(sample_spec())
    session = store.open_session("one")
    line.become(Line.SILENT)
    ended: dict[str, float] = {}

    def ask(what: str) -> None:
        began = time.monotonic()
        calls = {
            "read": lambda: store.experiment(experiment),
            "write": lambda: store.cluster.submit(experiment),
            "renew": lambda: store.renew_session(session),
        }
        with contextlib.suppress(StoreUnavailable):
            calls[what]()
            return
        ended[what] = time.monotonic() - began

    threads = [
        threading.Thread(target=ask, args=(what,), daemon=True)
        for what in ("read", "write", "renew")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert set(ended) == {"read", "write", "renew"}
    assert max(ended.values()) < PATIENCE_S
    line.become(Line.WHOLE)
    assert store.experiment(experiment).id == experiment
    assert store.renew_session(session)
