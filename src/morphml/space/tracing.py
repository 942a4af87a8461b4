"""Lowering a member: the trace that grows into a model graph, and merging with matching shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from morphml.errors import ShapeError
from morphml.graph.operations import OPERATIONS
from morphml.graph.shapes import infer_node
from morphml.graph.values import Node, Shape
from morphml.space.guards import Codes
from morphml.space.memory import Made, remembered
from morphml.space.places import Place


class Trace:
    """The nodes made so far for one member; used once and thrown away."""

    __slots__ = ("before", "codes", "nodes", "parts", "shapes", "taps")

    def __init__(self, codes: Codes) -> None:
        #: The member's codes.
        self.codes = codes
        self.nodes: list[Node] = []
        #: Output shapes, aligned with `nodes`.
        self.shapes: list[Shape] = []
        #: Those of `nodes` that are remembered.
        self.parts: list[Made] = []
        #: Slot of a tap or input -> node position.
        self.taps: dict[int, int] = {}
        #: What the previous cell read as its trunk; None before the first cell.
        self.before: int | None = None

    def add(self, node: Node, shape: Shape) -> int:
        """Append a node that is made for this member alone; its position."""
        self.nodes.append(node)
        self.shapes.append(shape)
        return len(self.nodes) - 1

    def recall(self, made: Made) -> int:
        """Append a node that is remembered; its position."""
        self.parts.append(made)
        self.nodes.append(made[0])
        self.shapes.append(made[1])
        return len(self.nodes) - 1


#: Turns the trunk at one position into the trunk at another: a compiled block.
Plan = Callable[[Trace, int], int]


def channels_of(shape: Shape) -> int:
    """The channel count of a shape: the last axis of (t, d), else the first."""
    return shape[-1] if len(shape) == 2 else shape[0]


def make(
    trace: Trace,
    op: str,
    inputs: tuple[int, ...],
    attrs: Mapping[str, object],
    path: str,
    shared: str | None = None,
) -> int:
    """Add a checked node of the catalogue; its position.

    Raises:
        SpaceError: an attribute the operation does not allow, with the path.
        ShapeError: shapes that do not fit, with the path and the shapes.
    """
    node = OPERATIONS.node(op, inputs, attrs, path=path, shared=shared)
    return trace.add(node, infer_node(node, tuple([trace.shapes[i] for i in inputs])))


class Merger:
    """Adds up or concatenates several positions; remembers the nodes it made."""

    __slots__ = ("_memory", "_shelf", "match", "place")

    def __init__(self, place: Place, match: str | None) -> None:
        #: Where the merge stands.
        self.place = place
        #: ``project``: bring unequal shapes to one; None: they are an error.
        self.match = match
        self._memory = place.memory
        self._shelf = place.memory.shelf()

    def merge(self, trace: Trace, how: str, positions: list[int]) -> int:
        """The position of the merged value; a single position is returned as it is.

        Raises:
            ShapeError: shapes that do not fit, naming the path and the shapes.
        """
        if len(positions) == 1:
            return positions[0]
        if self.match is not None:
            positions = self._matched(trace, how, positions)
        shapes = tuple([trace.shapes[i] for i in positions])
        key = (how, tuple(positions), shapes)
        found = self._shelf.get(key)
        if found is None:
            axis = 1 if len(shapes[0]) == 2 else 0
            attrs = {"axis": axis} if how == "concat" else {}
            node = OPERATIONS.node(how, tuple(positions), attrs, path=self.place.node)
            found = self._memory.keep(self._shelf, key, remembered(node, shapes, OPERATIONS))
        return trace.recall(found)

    def _matched(self, trace: Trace, how: str, positions: list[int]) -> list[int]:
        shapes = [trace.shapes[i] for i in positions]
        target = common_shape(shapes)
        if target is None:
            return positions
        made = []
        for number, (position, shape) in enumerate(zip(positions, shapes, strict=True)):
            wanted = target
            if how == "concat" and len(shape) > 2:
                wanted = (shape[0], *target[1:])
            elif how == "concat":
                wanted = shape
            made.append(fit(trace, position, wanted, self.place.unseen(f"project_{number}")))
        return made


def common_shape(shapes: list[Shape]) -> Shape | None:
    """The shape that unequal ones are projected to; None where ranks differ.

    The channels of the first, and on the other axes the smallest size.
    """
    first = shapes[0]
    if any(len(shape) != len(first) for shape in shapes):
        return None
    if len(first) == 2:
        return (min(shape[0] for shape in shapes), first[1])
    return (first[0], *(min(sizes) for sizes in zip(*(s[1:] for s in shapes), strict=True)))


def fit(trace: Trace, position: int, target: Shape, place: Place) -> int:
    """The position brought to ``target``: itself, a projection, or pooling and a projection.

    Raises:
        ShapeError: when nothing leads there, naming the path and both shapes.
    """
    shape = trace.shapes[position]
    if shape == target:
        return position
    path = place.node
    try:
        return make(trace, "project", (position,), {"shape": target}, path, place.shared)
    except ShapeError as error:
        axes = len(shape) - 1
        smaller = all(m <= n for n, m in zip(shape[1:], target[1:], strict=False))
        if len(shape) != len(target) or not 1 <= axes <= 3 or not smaller or len(shape) == 2:
            raise ShapeError(
                f"{shape} cannot be projected to {target}", path=path, shapes=(shape, target)
            ) from error
    size = {"size": target[1:] if axes > 1 else target[1]}
    pooled = make(trace, f"adaptive_avg_pool{axes}d", (position,), size, f"{path}/pool")
    if shape[0] == target[0]:
        return pooled
    return make(trace, "project", (pooled,), {"shape": target}, path, place.shared)
