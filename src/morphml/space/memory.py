"""Nodes that were made for members of a space, kept so that equal ones are made once."""

from __future__ import annotations

from typing import NamedTuple

from morphml.graph.identity import node_bytes
from morphml.graph.operation import CUSTOM_PREFIX, Catalogue, Count
from morphml.graph.shapes import infer_output
from morphml.graph.values import Node, Shape

#: So many nodes are remembered for a space (about 10 MB) before its memory starts afresh.
REMEMBERED = 8192


class Made(NamedTuple):
    """A node that was made, and what depends on nothing else."""

    node: Node
    #: Shape of its output.
    shape: Shape
    #: What it costs; None for a user's operation, whose count is asked for with the costs.
    cost: Count | None
    #: What it adds to the id of a graph that is its own canonical form.
    code: bytes


class Memory:
    """The nodes made lately for the members of one space: equal ones are made once."""

    __slots__ = ("_count", "_shelves")

    def __init__(self) -> None:
        self._shelves: list[dict[object, Made]] = []
        self._count = 0

    def shelf(self) -> dict[object, Made]:
        """An empty shelf for one place of the space; it may be emptied at any time."""
        made: dict[object, Made] = {}
        self._shelves.append(made)
        return made

    def keep(self, shelf: dict[object, Made], key: object, made: Made) -> Made:
        """Remember ``made`` on a shelf; where there are too many, all are forgotten first."""
        self._count += 1
        if self._count > REMEMBERED:
            for each in self._shelves:
                each.clear()
            self._count = 1
        shelf[key] = made
        return made


def remembered(node: Node, inputs: tuple[Shape, ...], catalogue: Catalogue) -> Made:
    """A node with all that is remembered of it.

    Args:
        node: of an operation of ``catalogue``.
        inputs: shapes that enter, in the order of the ports.
        catalogue: the built-in operations, or those of a user.

    Raises:
        ShapeError: shapes that do not fit, with the path and the shapes.
    """
    operation, attrs = catalogue.at(node), dict(node.attrs)
    shape = infer_output(node, operation, inputs, attrs)
    own = node.op.startswith(CUSTOM_PREFIX)
    cost = None if own else operation.count(inputs, shape, attrs)
    return Made(node, shape, cost, node_bytes(node))
