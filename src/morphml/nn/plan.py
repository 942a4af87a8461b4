"""A model graph laid out as the steps of a forward pass; no torch is needed to make one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from morphml.errors import SpaceError
from morphml.graph import OPERATIONS, Catalogue, ModelGraph, Node, Shape, infer_shapes
from morphml.nn.catalogue import lowering_of
from morphml.nn.expression import Construct, Lowered, Module
from morphml.nn.ordering import execution_order, ordered_ports
from morphml.nn.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSlot:
    """One input of the network."""

    name: str
    #: Position of its node in the graph.
    node: int
    shape: Shape
    #: Such as ``float32`` or ``int64``.
    dtype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation of the forward pass."""

    #: Position of its node in the graph.
    node: int
    #: The node's operation.
    op: str
    #: Name of the module called; empty for an operation without one.
    module: str
    lowered: Lowered
    #: Positions of the nodes whose tensors arrive, in the order of the ports.
    inputs: tuple[int, ...]
    #: The shape that leaves, without the batch axis.
    shape: Shape
    #: Where in the space it came from.
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The forward pass of a network."""

    #: Sorted by name.
    inputs: tuple[InputSlot, ...]
    #: In an order in which every tensor exists before it is used.
    steps: tuple[Step, ...]
    #: Output name and node position, sorted by name.
    outputs: tuple[tuple[str, int], ...]

    def modules(self) -> Mapping[str, Construct]:
        """Module names and what to construct for each, in the order of the graph's nodes.

        That order is canonical, so one seed gives equal graphs equal weights.
        """
        return {
            step.module: step.lowered.make
            for step in sorted(self.steps, key=lambda step: step.node)
            if isinstance(step.lowered, Module)
        }


def plan(graph: ModelGraph, catalogue: Catalogue = OPERATIONS) -> Plan:
    """The steps that compute ``graph``, which must be in canonical form.

    Modules are named by operation and count (``conv2d_1``), never by path: graphs with one id have
    the same names, so weights of one fit the other.

    Args:
        graph: with its input nodes first, as `canonical` puts them.
        catalogue: the built-in operations, and those of the user.

    Raises:
        ShapeError: where shapes do not fit, with both shapes.
        SpaceError: for an operation that no layer family builds.
    """
    shapes = infer_shapes(graph, catalogue)
    counts: Counter[str] = Counter()
    ports = ordered_ports(graph)
    inputs: list[InputSlot] = []
    steps: dict[int, Step] = {}
    for position, node in enumerate(graph.nodes):
        if node.op == "input":
            inputs.append(_slot(position, node, shapes[position]))
        else:
            steps[position] = _step(position, node, ports[position], shapes, counts)
    order = execution_order(graph, ports)
    result = Plan(
        inputs=tuple(sorted(inputs, key=lambda slot: slot.name)),
        steps=tuple(steps[position] for position in order if position in steps),
        outputs=graph.outputs,
    )
    _check_shared(result)
    return result


def _slot(position: int, node: Node, shape: Shape) -> InputSlot:
    attrs = dict(node.attrs)
    return InputSlot(name=str(attrs["name"]), node=position, shape=shape, dtype=str(attrs["dtype"]))


def _step(
    position: int,
    node: Node,
    ports: tuple[int, ...],
    shapes: tuple[Shape, ...],
    counts: Counter[str],
) -> Step:
    site = Site(
        op=node.op,
        attrs=dict(node.attrs),
        inputs=tuple(shapes[i] for i in ports),
        output=shapes[position],
        path=node.path,
    )
    lowered = lowering_of(site)(site)
    return Step(
        node=position,
        op=node.op,
        module=_module_name(node, counts) if isinstance(lowered, Module) else "",
        lowered=lowered,
        # Zeros read nothing in the graph; the module asks an input for the size of the batch.
        inputs=ports or (0,),
        shape=shapes[position],
        path=node.path,
    )


def _module_name(node: Node, counts: Counter[str]) -> str:
    if node.shared is not None:
        return f"shared_{identifier(node.shared)}"
    op = identifier(node.op)
    counts[op] += 1
    return f"{op}_{counts[op]}"


def identifier(text: str) -> str:
    """``text`` with everything that no Python name may hold turned into underscores."""
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in text).strip("_") or "part"


def _check_shared(result: Plan) -> None:
    modules = result.modules()
    for step in result.steps:
        if isinstance(step.lowered, Module) and modules[step.module] != step.lowered.make:
            raise SpaceError(
                f"{step.module} is used twice but would be {modules[step.module].text()} in one "
                f"place and {step.lowered.make.text()} in the other; shared modules need equal "
                "shapes",
                path=step.path,
            )
