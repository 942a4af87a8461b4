"""Child processes of this machine: a fork server, its children, and the engine that uses them."""

from __future__ import annotations

from morphml.engines.local.engine import LocalEngine

__all__ = ["LocalEngine"]
