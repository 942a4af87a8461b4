from __future__ import annotations

import pytest

from morphml.engines import Engine
from morphml.engines.local import LocalEngine
from morphml.testing.engine_contract import EngineContract


@pytest.mark.usefixtures("no_torch")
class TestLocalEngine(EngineContract):
    def make(self, slots: int) -> Engine:
        return LocalEngine(slots)
