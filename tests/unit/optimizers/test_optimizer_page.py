"""The page about optimizers says what the code does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from morphml.optimizers import OPTIMIZERS, create_optimizer
from morphml.testing.example_spaces import flat_space

PAGE = Path(__file__).resolve().parents[3] / "docs" / "optimizers.md"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_page_names_the_optimizer_with_its_use_and_defaults(name: str) -> None:
    (row,) = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{name}` |")
    ]
    assert OPTIMIZERS[name].use in row
    assert OPTIMIZERS[name].cost in row
    for setting, value in create_optimizer(name, flat_space()).settings.items():
        assert f"`{setting}={json.dumps(value)}`" in row
