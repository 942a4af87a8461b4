"""A whole network, compiled: inputs, trunk and heads; lowers a member to its model graph."""

from __future__ import annotations

from morphml.graph.operations import OPERATIONS
from morphml.graph.values import ModelGraph, Node
from morphml.space.block_plan import chain
from morphml.space.compiler import Compiler
from morphml.space.decisions import Vector
from morphml.space.definition import Definition
from morphml.space.memory import Memory
from morphml.space.places import Place, Scope
from morphml.space.tracing import Plan, Trace


class Network:
    """The lowering plan of a space with layers."""

    __slots__ = ("_heads", "_inputs", "_slots", "_trunk")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        """Compile; the first input starts the trunk, and every input is a tap.

        Raises:
            SpaceError: whatever a block breaks, with its path.
        """
        place = Place(scope=Scope(), memory=Memory())
        self._inputs: list[tuple[Node, tuple[int, ...]]] = []
        self._slots: list[int] = []
        for name, given in definition.inputs:
            attrs = {"name": name, "shape": given.shape, "dtype": given.dtype}
            node = OPERATIONS.node("input", (), attrs, path=f"inputs/{name}")
            self._inputs.append((node, given.shape))
            slot = place.scope.slots[name] = compiler.new_slot()
            self._slots.append(slot)
        layers = definition.layers
        self._trunk: Plan | None = chain(layers, place, compiler) if layers else None
        self._heads = [
            (name, chain(blocks, place.child("outputs", name), compiler))
            for name, blocks in definition.outputs
        ]

    def lower(self, vector: Vector) -> ModelGraph:
        """The member's model graph.

        Raises:
            ShapeError: where shapes do not fit, with the path and the shapes.
        """
        trace = Trace(vector)
        for (node, shape), slot in zip(self._inputs, self._slots, strict=True):
            trace.taps[slot] = trace.add(node, shape)
        end = 0 if self._trunk is None else self._trunk(trace, 0)
        if self._heads:
            ends = sorted((name, head(trace, end)) for name, head in self._heads)
        else:
            ends = [("output", end)]
        return ModelGraph(nodes=tuple(trace.nodes), outputs=tuple(ends))
