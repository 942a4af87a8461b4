"""Values of a model graph: `Node`, `ModelGraph`, and their JSON form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from morphml.errors import SpaceError

#: One attribute of an operation.
Scalar = bool | int | float | str | None
Value = Scalar | tuple[int, ...]
#: A tensor's shape without the batch axis.
Shape = tuple[int, ...]
#: Attributes as a node keeps them: complete and sorted by name.
Attributes = tuple[tuple[str, Value], ...]

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation of a model graph.

    `Catalogue.node` makes one with defaults filled in and values checked; made directly, the
    attributes must already be complete, sorted by name and of the declared types.
    """

    #: Name in the catalogue, such as ``conv2d``, ``input``, ``add``.
    op: str
    #: Sorted by name, complete.
    attrs: Attributes = ()
    #: Positions of earlier nodes, in the order of the ports.
    inputs: tuple[int, ...] = ()
    #: Where in the space the node comes from; no part of identity or equality.
    path: str = field(default="", compare=False)
    #: Key of a shared module: nodes with one key are one module, used several times.
    shared: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGraph:
    """A directed acyclic graph of operations in topological order.

    Raises:
        SpaceError: an input that does not point to an earlier node, an output that points nowhere,
            output names that are not unique and sorted, or no output at all.
    """

    #: Topological: a node's inputs are smaller positions.
    nodes: tuple[Node, ...]
    #: Output name -> node position, sorted by name.
    outputs: tuple[tuple[str, int], ...]
    #: True only for what `canonical` returned; saves computing the form of a form. No argument, so
    #: that `replace` does not hand it on to another graph.
    is_canonical: bool = field(default=False, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for position, node in enumerate(self.nodes):
            for source in node.inputs:
                if not 0 <= source < position:
                    raise SpaceError(
                        f"node {position} ({node.op}) reads node {source}; a node may read only "
                        f"earlier nodes, 0 to {position - 1}",
                        path=node.path,
                    )
        if not self.outputs:
            raise SpaceError("a model graph needs at least one output")
        previous = None
        for name, position in self.outputs:
            if not 0 <= position < len(self.nodes):
                raise SpaceError(
                    f"output {name!r} points to node {position}; there are {len(self.nodes)} nodes"
                )
            if previous is not None and name <= previous:
                raise SpaceError(
                    f"output names must be unique and sorted; {name!r} follows {previous!r}"
                )
            previous = name

    def marked_canonical(self) -> ModelGraph:
        """This graph, marked as its own canonical form; for `canonical` alone."""
        object.__setattr__(self, "is_canonical", True)
        return self

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the input nodes, in the order of the nodes."""
        return tuple(str(dict(n.attrs)["name"]) for n in self.nodes if n.op == "input")

    def to_json(self) -> dict[str, object]:
        """The graph as plain lists, dicts and scalars that `from_json` reads back."""
        return {
            "format": _FORMAT,
            "nodes": [_node_to_json(node) for node in self.nodes],
            "outputs": dict(self.outputs),
        }

    @staticmethod
    def from_json(data: object) -> ModelGraph:
        """The graph that `to_json` wrote.

        Raises:
            SpaceError: when ``data`` has another form; the message names the field.
        """
        fields = _mapping(data, "a model graph")
        if fields.get("format") != _FORMAT:
            raise SpaceError(
                f"field 'format' of a model graph is {fields.get('format')!r}; this version reads "
                f"format {_FORMAT}"
            )
        outputs = _mapping(fields.get("outputs"), "field 'outputs'")
        return ModelGraph(
            nodes=tuple(
                _node_from_json(item, f"nodes[{number}]")
                for number, item in enumerate(_sequence(fields.get("nodes"), "field 'nodes'"))
            ),
            outputs=tuple(
                (name, _integer(outputs[name], f"outputs[{name!r}]")) for name in sorted(outputs)
            ),
        )


def _node_to_json(node: Node) -> dict[str, object]:
    data: dict[str, object] = {"op": node.op}
    if node.attrs:
        data["attrs"] = {k: list(v) if isinstance(v, tuple) else v for k, v in node.attrs}
    if node.inputs:
        data["inputs"] = list(node.inputs)
    if node.path:
        data["path"] = node.path
    if node.shared is not None:
        data["shared"] = node.shared
    return data


def _node_from_json(data: object, where: str) -> Node:
    fields = _mapping(data, where)
    attrs = _mapping(fields.get("attrs", {}), f"{where}.attrs")
    shared = fields.get("shared")
    return Node(
        op=_text(fields.get("op"), f"{where}.op"),
        attrs=tuple((name, _value(attrs[name], f"{where}.attrs.{name}")) for name in sorted(attrs)),
        inputs=tuple(
            _integer(item, f"{where}.inputs")
            for item in _sequence(fields.get("inputs", ()), f"{where}.inputs")
        ),
        path=_text(fields.get("path", ""), f"{where}.path"),
        shared=None if shared is None else _text(shared, f"{where}.shared"),
    )


def _mapping(data: object, where: str) -> Mapping[str, object]:
    if isinstance(data, Mapping) and all(isinstance(key, str) for key in data):
        return data
    raise SpaceError(f"{where} must be a mapping with text keys, got {data!r:.80}")


def _sequence(data: object, where: str) -> Sequence[object]:
    if isinstance(data, (list, tuple)):
        return data
    raise SpaceError(f"{where} must be a list, got {data!r:.80}")


def _text(data: object, where: str) -> str:
    if isinstance(data, str):
        return data
    raise SpaceError(f"{where} must be text, got {data!r:.80}")


def _integer(data: object, where: str) -> int:
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    raise SpaceError(f"{where} must be an integer, got {data!r:.80}")


def _value(data: object, where: str) -> Value:
    if isinstance(data, (list, tuple)):
        return tuple(_integer(item, where) for item in data)
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    raise SpaceError(f"{where} must be a scalar or a list of integers, got {data!r:.80}")
