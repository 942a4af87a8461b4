"""Import paths in a text stay texts: reading it imports and calls nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from morphml.space.text import parse_space

TEXTS = {
    "a module": "layers=[L.custom('trap:Layer')]",
    "a shape": "layers=[L.custom('trap:Layer', shape='trap:shape')]",
    "a parameter count": "layers=[L.custom('trap:Layer', params='trap:params')]",
    "a constraint": "layers=[dense(choice(4, 8))], constraints=['trap:constraint']",
}


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that leaves a mark when it is imported."""
    mark = tmp_path / "imported"
    (tmp_path / "trap.py").write_text(
        f"open({str(mark)!r}, 'w').close()\n"
        "def shape(*a, **k): return (4,)\nparams = constraint = Layer = build = shape\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return mark


@pytest.mark.parametrize("part", TEXTS.values(), ids=TEXTS)
def test_reading_a_text_imports_nothing_that_it_names(trap: Path, part: str) -> None:
    space = parse_space(f"SearchSpace(input=(4,), {part})")
    assert parse_space(repr(space)) == space
    assert len(space.digest) == 32
    assert not trap.exists()
    assert "trap" not in sys.modules


def test_reading_the_escape_hatch_imports_nothing(trap: Path) -> None:
    space = parse_space("SearchSpace(decisions={'x': real(0, 1)}, build='trap:build')")
    assert parse_space(repr(space)) == space
    assert not trap.exists()
