"""Multi-fidelity: which trials get more epochs, beside any optimizer; one rule per file."""

from __future__ import annotations

from morphml.search.fidelity.contract import Fidelity, Promotion, RungCount
from morphml.search.fidelity.level import OneLevel
from morphml.search.fidelity.registry import (
    COMBINATIONS,
    FIDELITIES,
    Combination,
    FidelityEntry,
    combined,
    create_fidelity,
)

__all__ = [
    "COMBINATIONS",
    "FIDELITIES",
    "Combination",
    "Fidelity",
    "FidelityEntry",
    "OneLevel",
    "Promotion",
    "RungCount",
    "combined",
    "create_fidelity",
]
