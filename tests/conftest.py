"""What every test process needs first, and servers that tests share."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from morphml.testing.postgres import PrivateServer

# A shell starts its background jobs with Ctrl-C ignored, and children inherit that through exec:
# tests that interrupt a search would then wait for nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let no collection of garbage walk again and again through what stays for the whole run.

    Modules and collected tests are hundreds of thousands of objects; a tenth of the unit tests'
    processor time went there.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivateServer]:
    """A PostgreSQL server for the whole session; not to be killed, and it does not flush."""
    from morphml.testing.postgres import private_server

    with private_server(fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PrivateServer) -> str:
    """The name of a database that holds an empty store, to be copied."""
    from morphml.storage import open_store

    url = postgres_server.new_database()
    open_store(url).close()
    return url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: PrivateServer, postgres_template: str) -> str:
    """The URL of an empty store of this test's own; about 50 ms."""
    return postgres_server.new_database(postgres_template)
