"""MorphML: neural architecture search on a laptop with no server, or on a cluster.

``import morphml as mm`` gives the names a person types; each is loaded when first used, so that the
import itself stays light. ``mm.layers`` holds the layers, ``mm.spaces`` the ready-made spaces.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

#: Public name to the module that defines it.
_HOMES = {
    # spaces
    "SearchSpace": "morphml.space",
    "GraphSpace": "morphml.space",
    "Architecture": "morphml.space",
    "Input": "morphml.space",
    "choice": "morphml.space",
    "integer": "morphml.space",
    "real": "morphml.space",
    "optional": "morphml.space",
    "repeat": "morphml.space",
    "sequence": "morphml.space",
    "parallel": "morphml.space",
    "residual": "morphml.space",
    "tap": "morphml.space",
    "join": "morphml.space",
    "nest": "morphml.space",
    "cell": "morphml.space",
    "divisors": "morphml.space",
    "round_to": "morphml.space",
    # trials
    "Trial": "morphml.evaluation",
    "TrialStopped": "morphml.evaluation",
    "TrialPaused": "morphml.evaluation",
    # searches
    "search": "morphml.master",
    "resume": "morphml.master",
    "Experiment": "morphml.master",
    "Result": "morphml.master",
    # optimizers
    "create_optimizer": "morphml.optimizers",
    # errors
    "MorphError": "morphml.errors",
}
_MODULES = ("layers", "spaces", "errors")

__all__ = ["__version__", *_HOMES, *_MODULES]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name in _MODULES:
        return import_module(f"morphml.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'morphml' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted(__all__)
