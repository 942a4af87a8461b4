"""Compiling cells."""

from __future__ import annotations

from collections.abc import Callable

from morphml.errors import SpaceError
from morphml.space.blocks import Cell
from morphml.space.compiler import Compiler
from morphml.space.places import Place
from morphml.space.tracing import Plan

#: Compiles the only block at a place.
Slot = Callable[[object, Place, Compiler], Plan]


def cell_plan(cell: Cell, place: Place, compiler: Compiler, slot: Slot) -> Plan:
    """The plan of a cell."""
    raise SpaceError("cells are not ready", path=place.path)
