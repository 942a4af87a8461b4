"""Fork servers of tests import what their evaluators need, and nothing for the sake of others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from morphml.engines.local import shares


@pytest.fixture(autouse=True)
def nothing_left_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides from engines what other tests of this process imported.

    An engine has its fork server import the heavy packages that its own process has. Here that is
    torch and scikit-learn from collection on: seconds for each of some hundred searches.
    """
    monkeypatch.setattr(shares, "sys", SimpleNamespace(modules=frozenset()))
