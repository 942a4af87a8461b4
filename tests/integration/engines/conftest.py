"""Puts the evaluators of these tests where child processes can import them by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides that another test imported torch: its import in fork servers takes seconds."""
    for name in ("torch", "sklearn"):
        monkeypatch.delitem(sys.modules, name, raising=False)
