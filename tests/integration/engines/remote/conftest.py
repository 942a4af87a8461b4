"""Worker processes for these tests, each ended at the end of its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.engines.remote.worker_processes import Workers


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path)
    yield made
    for worker in made.started:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.wait(10)
