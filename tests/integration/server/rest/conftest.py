"""A REST server over a store of its own, on a thread, and who asks it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from morphml.server.rest.serving import RestServer
from morphml.server.rest.settings import RestSettings
from morphml.storage import SqlStore, open_store


@dataclass(frozen=True)
class Served:
    """A server that answers, and the store behind it."""

    url: str
    store: SqlStore
    ask: httpx.Client

    def post(self, path: str, body: object = None, **more: object) -> httpx.Response:
        given = {} if body is None else {"json": body}
        return self.ask.post(path, **given, **more)

    def done(self, path: str, body: object = None, **more: object) -> dict:
        answer = self.post(path, body, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def seen(self, path: str, **more: object) -> dict:
        answer = self.ask.get(path, **more)
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def serving(storage: str, port: int = 0, **more: object) -> Iterator[Served]:
    """A server on that port of this machine, or a free one."""
    store = open_store(storage)
    with socket.create_server(("127.0.0.1", port)) as listening:
        settings = RestSettings(**{"storage": storage, "host": "127.0.0.1", "rate": 1e6, **more})
        server = RestServer(settings, listening)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, timeout=30.0) as ask:
                yield Served(url, store, ask)
        finally:
            server.leave()
            thread.join()
            store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Without a token, as on a laptop."""
    with serving(str(tmp_path / "a.db")) as server:
        yield server
