"""What children find imported already: heavy packages, once for all of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

#: Packages worth importing once, before the fork, when this process has them or they are needed.
_PRELOADED = ("numpy", "scipy", "pandas", "torch", "sklearn")
#: Those that no child needs unless its evaluator says so: torch imports its compiler when a process
#: makes its first optimizer, which takes seconds.
_ON_DEMAND = ("torch._dynamo",)
#: What every child needs to read its space.
_ALWAYS = ("morphml.space",)
#: What comes with a package in every child that builds models.
_ALONG = {"torch": ("morphml.nn",)}


def preload(needs: Sequence[str]) -> list[str]:
    """Modules for the fork server to import: heavy ones, known by name, never the user's."""
    wanted = [name for name in _PRELOADED if name in sys.modules or name in needs]
    wanted += [name for name in _ON_DEMAND if name in needs]
    return [*_ALWAYS, *(module for name in wanted for module in (name, *_ALONG.get(name, ())))]
