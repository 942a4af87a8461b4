"""A store with masters for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.master.cluster.masters import Site, site


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Site]:
    """Masters on a SQLite file, of which there can be one."""
    with site(tmp_path, str(tmp_path / "s.db")) as made:
        yield made


@pytest.fixture
def shared(tmp_path: Path, postgres_url: str) -> Iterator[Site]:
    """Masters on a PostgreSQL database."""
    with site(tmp_path, postgres_url) as made:
        yield made
