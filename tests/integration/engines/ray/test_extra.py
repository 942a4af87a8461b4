"""What is said where Ray is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from morphml.errors import MissingExtraError
from morphml.master.choosing import EngineChoice, make_engine


def test_engine_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as Python marks what cannot be imported
    with pytest.raises(MissingExtraError, match=r"engine='ray' needs .* 'morphml\[ray\]'"):
        make_engine(EngineChoice.parse("ray"), 1, {})


def test_process_of_a_search_never_imports_ray() -> None:
    """What nodes send cannot be unpickled where nothing that would do so is there."""
    code = (
        "import sys, morphml.engines.ray.engine, morphml.cli.staffing; print('ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
