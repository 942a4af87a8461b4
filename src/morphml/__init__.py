"""MorphML: neural architecture search on a laptop with no server, or on a cluster.

``import morphml as mm`` gives the names a person types; each is loaded when first used, so that the
import itself stays light. ``mm.layers`` holds the layers, ``mm.spaces`` the ready-made spaces.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from morphml.version import __version__

if TYPE_CHECKING:  # the same names once more, for editors and type checkers
    from collections.abc import Callable

    from morphml import errors, layers, spaces
    from morphml.client import AsyncClient, Client
    from morphml.errors import MorphError
    from morphml.evaluation import Trial, TrialPaused, TrialStopped
    from morphml.evaluation.source import by_value
    from morphml.evaluation.training import Classification, Regression
    from morphml.master import Experiment, Progress, Result, replay, resume, search
    from morphml.master.cluster.nodes import MasterNode, WorkerNode
    from morphml.master.resources import InfeasibleWarning
    from morphml.optimizers import GeneticAlgorithm, create_optimizer
    from morphml.space import (
        Architecture,
        GraphSpace,
        Input,
        SearchSpace,
        cell,
        channels,
        choice,
        divisors,
        integer,
        join,
        nest,
        optional,
        parallel,
        real,
        ref,
        repeat,
        residual,
        round_to,
        sequence,
        shared,
        tap,
    )

__all__ = [
    "Architecture",
    "AsyncClient",
    "Classification",
    "Client",
    "Experiment",
    "GeneticAlgorithm",
    "GraphSpace",
    "InfeasibleWarning",
    "Input",
    "MasterNode",
    "MorphError",
    "Progress",
    "Regression",
    "Result",
    "SearchSpace",
    "Trial",
    "TrialPaused",
    "TrialStopped",
    "WorkerNode",
    "__version__",
    "by_value",
    "cell",
    "channels",
    "choice",
    "create_optimizer",
    "divisors",
    "errors",
    "integer",
    "join",
    "layers",
    "nest",
    "optional",
    "parallel",
    "real",
    "ref",
    "repeat",
    "replay",
    "residual",
    "resume",
    "round_to",
    "search",
    "sequence",
    "shared",
    "spaces",
    "tap",
]

_MODULES = frozenset({"errors", "layers", "spaces"})
_HOMES = {
    **dict.fromkeys(("AsyncClient", "Client"), "client"),
    "Classification": "evaluation.training",
    "MorphError": "errors",
    "Regression": "evaluation.training",
    "Trial": "evaluation",
    "TrialPaused": "evaluation",
    "TrialStopped": "evaluation",
    "by_value": "evaluation.source",
    "GeneticAlgorithm": "optimizers",
    "MasterNode": "master.cluster.nodes",
    "WorkerNode": "master.cluster.nodes",
    "InfeasibleWarning": "master.resources",
    "create_optimizer": "optimizers",
    **dict.fromkeys(("Experiment", "Progress", "Result", "replay", "resume", "search"), "master"),
}


class _Public(ModuleType):
    """The package as a module whose public names no submodule takes over.

    There is a room ``morphml.search`` and a function ``mm.search``: the import system would bind
    the room to the package's attribute, so a public name that is no module is not overwritten.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        """By name, as any module travels: an evaluator may say ``mm.TrialStopped``."""
        return import_module, (self.__name__,)


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'morphml' has no attribute {name!r}")
    if name in _MODULES:
        return import_module(f"morphml.{name}")
    value: object = getattr(import_module(f"morphml.{_HOMES.get(name, 'space')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted(__all__)


sys.modules[__name__].__class__ = _Public
