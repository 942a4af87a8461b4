from __future__ import annotations

from morphml.engines import Engine
from morphml.engines.local import LocalEngine
from morphml.testing.engine_contract import EngineContract


class TestLocalEngine(EngineContract):
    def make(self, slots: int) -> Engine:
        return LocalEngine(slots)
