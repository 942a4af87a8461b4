"""A whole network, compiled: inputs, trunk and heads; lowers a member to its model graph."""

from __future__ import annotations

from typing import NamedTuple

from morphml.graph.operations import OPERATIONS
from morphml.graph.values import ModelGraph
from morphml.space.block_plan import chain
from morphml.space.compiler import Compiler
from morphml.space.decisions import Vector
from morphml.space.definition import Definition
from morphml.space.memory import Made, Memory, remembered
from morphml.space.places import Place, Scope
from morphml.space.tracing import Plan, Trace


class Lowered(NamedTuple):
    """A member's model graph."""

    graph: ModelGraph
    #: What is remembered of its nodes, in their order; None where some are this member's alone.
    parts: tuple[Made, ...] | None


class Network:
    """The lowering plan of a space with layers."""

    __slots__ = ("_heads", "_inputs", "_slots", "_trunk")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        """Compile; the first input starts the trunk, and every input is a tap.

        Raises:
            SpaceError: whatever a block breaks, with its path.
        """
        place = Place(scope=Scope(), memory=Memory())
        self._inputs: list[Made] = []
        self._slots: list[int] = []
        for name, given in definition.inputs:
            attrs = {"name": name, "shape": given.shape, "dtype": given.dtype}
            node = OPERATIONS.node("input", (), attrs, path=f"inputs/{name}")
            self._inputs.append(remembered(node, (), OPERATIONS))
            slot = place.scope.slots[name] = compiler.new_slot()
            self._slots.append(slot)
        layers = definition.layers
        self._trunk: Plan | None = chain(layers, place, compiler) if layers else None
        self._heads = [
            (name, chain(blocks, place.child("outputs", name), compiler))
            for name, blocks in definition.outputs
        ]

    def lower(self, vector: Vector) -> Lowered:
        """The member's model graph.

        Raises:
            ShapeError: where shapes do not fit, with the path and the shapes.
        """
        trace = Trace(vector)
        for made, slot in zip(self._inputs, self._slots, strict=True):
            trace.taps[slot] = trace.recall(made)
        end = 0 if self._trunk is None else self._trunk(trace, 0)
        if self._heads:
            ends = sorted((name, head(trace, end)) for name, head in self._heads)
        else:
            ends = [("output", end)]
        graph = ModelGraph(nodes=tuple(trace.nodes), outputs=tuple(ends))
        all_remembered = len(trace.parts) == len(trace.nodes)
        return Lowered(graph, tuple(trace.parts) if all_remembered else None)
