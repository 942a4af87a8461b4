"""Compiling cells: what is decided in them, and how a member's cell is lowered.

Paths under the cell's own: ``edge_0_2`` (the operation of an edge; with ``on="nodes"`` whether the
edge is there; ``edge_2_output`` for an edge to the output), ``node_2/op``, ``node_2/inputs`` (which
earlier nodes it reads, where ``in_degree`` is given), ``node_2/op_0`` (the operation of the first
of these edges). The numbers are those of `cell`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from morphml.errors import ShapeError, SpaceError
from morphml.graph.values import Shape
from morphml.space.blocks import Cell, Layer
from morphml.space.blocks import Sequence as SequenceBlock
from morphml.space.compiler import Compiler
from morphml.space.domains import Choice
from morphml.space.edge_limit import EdgeLimit
from morphml.space.free_graph import FreeGraph
from morphml.space.graph_layout import GraphLayout
from morphml.space.naming import segments
from morphml.space.places import Place
from morphml.space.shared_width import SharedWidth
from morphml.space.tracing import Merger, Plan, Trace, channels_of, fit, make

#: Compiles any block.
Compile = Callable[[object, Place, Compiler], Plan]
#: Makes a cell's value at its output from the values of its inputs and its channel count.
Body = Callable[[Trace, list[int], int], int]

#: A cell has at most so many ways to choose the inputs of one node.
SUBSETS = 5000


def cell_plan(cell: Cell, place: Place, compiler: Compiler, compile_block: Compile) -> Plan:
    """The plan of a cell; see `cell` for what it means.

    Raises:
        SpaceError: a name that stands for another cell, or counts that fit no graph.
    """
    inner = place.scoped()
    if cell.name is not None:
        decided = replace(cell, reduce=False, channels=None, match=None, merge="add")
        used = compiler.part(cell.name, repr(decided), place.path)
        inner = replace(inner, path=cell.name, revisit=place.revisit or used)
    channels = compiler.value(cell.channels, f"{inner.path}/channels", place)
    body = _CellCompiler(cell, inner, compiler, compile_block).body()

    def lower(trace: Trace, source: int) -> int:
        own = channels_of(trace.shapes[source])
        width = channels.of(trace.codes, own) or own
        assert isinstance(width, int)
        starts = _starts(cell, trace, source, own if cell.merge == "share" else width, inner)
        end = body(trace, starts, width)
        trace.before = source
        return end

    return lower


def _starts(cell: Cell, trace: Trace, source: int, width: int, place: Place) -> list[int]:
    """The cell's inputs, brought to one shape of ``width`` channels."""
    here = trace.shapes[source]
    target = (here[0], width) if len(here) == 2 else (width, *here[1:])
    if cell.reduce and cell.on == "nodes":
        target = halved(target, place.node)
    sources = [source]
    if cell.inputs == 2:
        sources = [source if trace.before is None else trace.before, source]
    made: list[int] = []
    for number, start in enumerate(sources):
        if number and start == sources[0]:
            made.append(made[0])
        else:
            made.append(fit(trace, start, target, place.unseen(f"input_{number}")))
    return made


class _CellCompiler:
    """Declares the decisions of one cell at one place."""

    def __init__(
        self, cell: Cell, place: Place, compiler: Compiler, compile_block: Compile
    ) -> None:
        self.cell = cell
        self.place = place
        self.compiler = compiler
        self.compile_block = compile_block
        self.nodes = range(cell.inputs, cell.inputs + cell.nodes)
        self.labels = segments(cell.ops)
        self.choice = compiler.operations_of(place.path, cell.ops)

    def body(self) -> Body:
        """The lowering of the cell's inside."""
        if self.cell.in_degree is not None:
            return self._picked_edges() if self.cell.on == "edges" else self._picked_nodes()
        return self._all_edges() if self.cell.on == "edges" else self._free_nodes()

    # --- operations on edges ---------------------------------------------------------------------

    def _all_edges(self) -> Body:
        plans: dict[tuple[int, int], Plan] = {}
        indices: list[int] = []
        for node in self.nodes:
            for source in range(node):
                index, plan = self._op(f"edge_{source}_{node}", strided=self._strides(source))
                plans[source, node] = plan
                indices.append(index)
        if self.cell.max_edges is not None:
            self._limit(indices)
        mergers = self._mergers()
        finish = self._finish()

        def lower(trace: Trace, values: list[int], _width: int) -> int:
            values = list(values)
            for node, merger in mergers.items():
                arriving = [plans[i, node](trace, values[i]) for i in range(node)]
                values.append(merger.merge(trace, "add", arriving))
            return finish(trace, values, values[self.cell.inputs :])

        return lower

    def _picked_edges(self) -> Body:
        picks = {node: self._pick(node) for node in self.nodes}
        plans = {
            node: [self._both(f"node_{node}/op_{k}") for k in range(len(subsets[0]))]
            for node, (_, subsets) in picks.items()
        }
        mergers = self._mergers()
        finish = self._finish()

        def lower(trace: Trace, values: list[int], _width: int) -> int:
            values = list(values)
            for node, merger in mergers.items():
                arriving = [
                    plan[self._strides(source)](trace, values[source])
                    for plan, source in zip(plans[node], _chosen(picks[node], trace), strict=True)
                ]
                values.append(merger.merge(trace, "add", arriving))
            return finish(trace, values, values[self.cell.inputs :])

        return lower

    def _both(self, name: str) -> tuple[Plan, Plan]:
        """The operation at full resolution, and as it leaves the inputs of a reducing cell."""
        plan = self._op(name, strided=False)[1]
        if not self.cell.reduce:
            return plan, plan
        return plan, self._op(name, strided=True, again=True)[1]

    def _limit(self, indices: list[int]) -> None:
        zeros = [
            code
            for code, op in enumerate(self.cell.ops)
            if isinstance(op, Layer) and op.kind == "zero"
        ]
        if not zeros:
            raise SpaceError(
                'max_edges= with on="edges" counts edges whose operation is not zero(); put '
                "L.zero() among ops=",
                path=self.place.path,
            )
        most = self.cell.max_edges
        assert most is not None
        ops = len(self.cell.ops)
        self.compiler.group(
            tuple(indices),
            lambda guard: EdgeLimit(
                indices=tuple(indices), guard=guard, ops=ops, zero=zeros[0], most=most
            ),
        )

    # --- operations on nodes ---------------------------------------------------------------------

    def _picked_nodes(self) -> Body:
        picks = {node: self._pick(node) for node in self.nodes}
        plans = {node: self._op(f"node_{node}/op", strided=False)[1] for node in self.nodes}
        mergers = self._mergers()
        finish = self._finish()

        def lower(trace: Trace, values: list[int], _width: int) -> int:
            values = list(values)
            loose = set(self.nodes)
            for node, merger in mergers.items():
                sources = _chosen(picks[node], trace)
                loose.difference_update(sources)
                arriving = merger.merge(trace, "add", [values[i] for i in sources])
                values.append(plans[node](trace, arriving))
            return finish(trace, values, [values[node] for node in sorted(loose)])

        return lower

    def _free_nodes(self) -> Body:
        if self.cell.merge == "last":
            raise SpaceError(
                'merge="last" needs on="edges" or in_degree=; use "add" or "concat"',
                path=self.place.path,
            )
        ops = {node: self._op(f"node_{node}/op", strided=False) for node in self.nodes}
        end = self.cell.inputs + self.cell.nodes
        edges: list[int] = []
        for target in (*self.nodes, end):
            for source in range(target):
                name = "output" if target == end else str(target)
                edges.append(self._edge(f"edge_{source}_{name}"))
        layout = GraphLayout(
            inputs=self.cell.inputs,
            nodes=self.cell.nodes,
            ops=len(self.cell.ops),
            most=self.cell.max_edges or len(edges),
            operations=tuple(index for index, _ in ops.values()),
            first_edge=edges[0],
        )
        indices = (*layout.operations, *edges)
        self.compiler.group(indices, lambda guard: FreeGraph(layout=layout, guard=guard))
        plans = {node: plan for node, (_, plan) in ops.items()}
        if self.cell.merge == "share":
            return self._sharing(layout, plans)
        mergers = self._mergers()
        finish = self._finish()

        def lower(trace: Trace, values: list[int], _width: int) -> int:
            made = dict(enumerate(values))
            for node, sources in layout.wiring(trace.codes):
                if node == end:
                    return finish(trace, list(made.values()), [made[i] for i in sources])
                arriving = mergers[node].merge(trace, "add", [made[i] for i in sources])
                made[node] = plans[node](trace, arriving)
            raise AssertionError("a settled graph has an output")

        return lower

    def _sharing(self, layout: GraphLayout, plans: Mapping[int, Plan]) -> Body:
        shared = SharedWidth(
            place=self.place,
            inputs=layout.inputs,
            end=layout.end,
            plans=plans,
            mergers=self._mergers(),
            last=Merger(self.place.unseen("output"), self.cell.match),
        )

        def lower(trace: Trace, values: list[int], width: int) -> int:
            return shared.lower(trace, dict(layout.wiring(trace.codes)), values, width)

        return lower

    def _edge(self, name: str) -> int:
        place = self.place.child(name)
        return self.compiler.declare(Choice(options=(False, True)), place.path, place)

    # --- parts -----------------------------------------------------------------------------------

    def _strides(self, source: int) -> bool:
        """True for edges that halve the resolution."""
        return self.cell.reduce and self.cell.on == "edges" and source < self.cell.inputs

    def _mergers(self) -> dict[int, Merger]:
        match = self.cell.match
        return {n: Merger(self.place.unseen(f"node_{n}"), match) for n in self.nodes}

    def _finish(self) -> Callable[[Trace, list[int], list[int]], int]:
        merger = Merger(self.place.unseen("output"), self.cell.match)
        how = self.cell.merge

        def finish(trace: Trace, values: list[int], ends: list[int]) -> int:
            return values[-1] if how == "last" else merger.merge(trace, how, ends)

        return finish

    def _pick(self, node: int) -> tuple[int | None, Sequence[tuple[int, ...]]]:
        """The decision which earlier nodes a node reads, and the possible answers."""
        degree = min(self.cell.in_degree or node, node)
        if math.comb(node, degree) > SUBSETS:
            raise SpaceError(
                f"node {node} could choose {degree} inputs in {math.comb(node, degree):,} ways, "
                f"more than {SUBSETS:,}; use fewer nodes or a smaller in_degree=",
                path=self.place.path,
            )
        subsets = list(combinations(range(node), degree))
        if len(subsets) == 1:
            return None, subsets
        place = self.place.child(f"node_{node}", "inputs")
        return self.compiler.declare(Choice(options=tuple(subsets)), place.path, place), subsets

    def _op(self, name: str, *, strided: bool, again: bool = False) -> tuple[int, Plan]:
        """The decision for one of the operations, and the plan that carries it out."""
        place = self.place.child(*name.split("/"))
        if again:
            place = replace(place, revisit=True)
        index = self.compiler.declare(self.choice, place.path, place, tuple(self.labels))
        plans = []
        for code, (label, op) in enumerate(zip(self.labels, self.cell.ops, strict=True)):
            inner = place.child(label).under(self.compiler.equals(index, (code,)))
            plans.append(self._strided(op, inner) if strided else self._plain(op, inner))

        def lower(trace: Trace, source: int) -> int:
            code = trace.codes[index]
            return plans[0 if code is None else int(code)](trace, source)

        return index, lower

    def _plain(self, op: object, place: Place) -> Plan:
        return self.compile_block(op, place, self.compiler)

    def _strided(self, op: object, place: Place) -> Plan:
        """The operation at half the resolution: its first layer with a stride gets stride 2."""
        halving = with_stride(op)
        if halving is not None:
            return self._plain(halving, place)
        plan = self._plain(op, place)
        is_zero = isinstance(op, Layer) and op.kind == "zero"

        def lower(trace: Trace, source: int) -> int:
            target = halved(trace.shapes[source], place.node)
            if is_zero:
                return make(trace, "zero", (source,), {"shape": target}, place.node)
            projected = fit(trace, source, target, place.unseen("reduce"))
            return plan(trace, projected)

        return lower


def halved(shape: Shape, path: str) -> Shape:
    """The shape at half the resolution, rounded up.

    Raises:
        ShapeError: for shapes without spatial axes.
    """
    if len(shape) < 3:
        raise ShapeError(
            f"reduce=True needs (channels, height, width), got {shape}", path=path, shapes=(shape,)
        )
    return (shape[0], *(-(-size // 2) for size in shape[1:]))


def with_stride(block: object) -> object | None:
    """``block`` with stride 2 in its first layer that has a stride; None when none has."""
    if isinstance(block, SequenceBlock):
        for number, inner in enumerate(block.blocks):
            changed = with_stride(inner)
            if changed is not None:
                blocks = (*block.blocks[:number], changed, *block.blocks[number + 1 :])
                return replace(block, blocks=blocks)
        return None
    if isinstance(block, Layer) and block.kind in STRIDED:
        kept = tuple(pair for pair in block.arguments if pair[0] != "stride")
        return replace(block, arguments=(*kept, ("stride", 2)))
    return None


#: Layers that can halve the resolution.
STRIDED = frozenset(
    {"conv2d", "conv3d", "depthwise_conv2d", "separable_conv2d", "mbconv"}
    | {f"{how}_pool{axes}d" for how in ("max", "avg") for axes in (2, 3)}
)


def _chosen(pick: tuple[int | None, Sequence[tuple[int, ...]]], trace: Trace) -> tuple[int, ...]:
    index, subsets = pick
    code = None if index is None else trace.codes[index]
    return subsets[0 if code is None else int(code)]
