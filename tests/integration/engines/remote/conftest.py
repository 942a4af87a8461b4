"""Hubs and worker processes for these tests, each ended at the end of its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import FORGETFUL, PATIENT, QUICK, Site, site
from tests.integration.engines.remote.worker_processes import Workers

from morphml.testing.clock import FakeClock


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A hub that is patient with slow tests."""
    with site(tmp_path, PATIENT) as made:
        yield made


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Site]:
    """A hub that soon takes for lost who hung up."""
    with site(tmp_path, FORGETFUL) as made:
        yield made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Site]:
    """A hub whose times are short."""
    with site(tmp_path, QUICK) as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    """Of a hub that only this clock can make impatient, so a slow machine cannot."""
    return FakeClock()


@pytest.fixture
def timed(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    """A hub whose times are short, and go by when ``clock`` does."""
    with site(tmp_path, QUICK, clock) as made:
        yield made


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Starts worker processes."""
    made = Workers(tmp_path)
    yield made
    for worker in made.started:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.wait(60)
