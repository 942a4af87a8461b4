"""What an operation is, and the catalogue in which operations are looked up by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from morphml.errors import SpaceError
from morphml.graph.attribute import Attribute, Attrs
from morphml.graph.values import Attributes, Node, Shape
from morphml.hints import did_you_mean

#: Names of user-registered operations start with this.
CUSTOM_PREFIX = "custom:"


class Count(NamedTuple):
    """What one operation costs for one sample."""

    #: Trainable numbers.
    params: int
    #: Floating-point operations of the forward pass; a multiply-add is two. Biases count nothing.
    flops: int
    #: Numbers written that the backward pass may need; 0 for views.
    activations: int


Infer = Callable[[tuple[Shape, ...], Attrs], Shape]
Counter = Callable[[tuple[Shape, ...], Shape, Attrs], Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of operation: names, shapes and costs, all pure.

    The functions get input shapes in port order and complete attributes, and raise `ShapeError`
    without a path; whoever walks a graph adds the path (`infer_node`).
    """

    #: Name in the catalogue.
    name: str
    #: One sentence: what is computed.
    summary: str
    attributes: tuple[Attribute, ...] = ()
    #: Fewest and most inputs; None: no upper limit.
    arity: tuple[int, int | None] = (1, 1)
    #: Output shape of (input shapes, attributes).
    infer: Infer
    #: Costs of (input shapes, output shape, attributes).
    count: Counter
    #: True: the ports are a multiset, their order means nothing.
    commutative: bool = False
    #: True: has weights, so one shared module differs from two equal ones.
    parametric: bool = False

    def params(self, shapes: tuple[Shape, ...], attrs: Attrs) -> int:
        """Trainable numbers of the operation on these input shapes."""
        return self.count(shapes, self.infer(shapes, attrs), attrs).params

    def flops(self, shapes: tuple[Shape, ...], attrs: Attrs) -> int:
        """Floating-point operations for one sample; a multiply-add is two."""
        return self.count(shapes, self.infer(shapes, attrs), attrs).flops

    def complete(self, given: Mapping[str, object]) -> Attributes:
        """The attributes checked, with defaults filled in, sorted by name.

        Raises:
            SpaceError: an unknown name (with the nearest one), a missing one, or a wrong value.
        """
        declared = {attribute.name: attribute for attribute in self.attributes}
        for name in given:
            if name not in declared:
                raise SpaceError(
                    f"{self.name} has no attribute {name!r}{did_you_mean(name, declared)}; "
                    f"it takes: {', '.join(declared) or 'none'}"
                )
        done: dict[str, object] = {}
        for name, attribute in declared.items():
            if name in given:
                try:
                    done[name] = attribute.check(given[name])
                except SpaceError as error:
                    raise SpaceError(f"{self.name}: {error}") from None
            elif attribute.required:
                raise SpaceError(f"{self.name} needs the attribute {name!r}")
            else:
                done[name] = attribute.default
        for name, attribute in declared.items():
            if attribute.same_as is not None and done[name] is None:
                done[name] = done[attribute.same_as]
        return tuple((name, done[name]) for name in sorted(done))  # type: ignore[misc]  # checked above


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Operations by name: an immutable value; `extended` makes a larger one.

    >>> from morphml.graph import OPERATIONS
    >>> OPERATIONS["dropout"].complete({"rate": 0})
    (('rate', 0.0),)
    >>> OPERATIONS["dropuot"]
    Traceback (most recent call last):
    morphml.errors.SpaceError: there is no operation 'dropuot'; did you mean 'dropout'?
    """

    _by_name: Mapping[str, Operation] = field(repr=False)

    @staticmethod
    def of(operations: Iterable[Operation]) -> Catalogue:
        """The catalogue of these operations.

        Raises:
            SpaceError: two operations have one name.
        """
        by_name: dict[str, Operation] = {}
        for operation in operations:
            if operation.name in by_name:
                raise SpaceError(f"the operation {operation.name!r} is declared twice")
            by_name[operation.name] = operation
        return Catalogue(MappingProxyType(by_name))

    def extended(self, operations: Iterable[Operation]) -> Catalogue:
        """This catalogue and more operations; see `of`."""
        return Catalogue.of((*self._by_name.values(), *operations))

    def __getitem__(self, name: str) -> Operation:
        """The operation of that name.

        Raises:
            SpaceError: there is none; the message names the nearest one.
        """
        try:
            return self._by_name[name]
        except KeyError:
            hint = did_you_mean(name, self._by_name)
            raise SpaceError(f"there is no operation {name!r}{hint}") from None

    def at(self, node: Node) -> Operation:
        """The operation of a node.

        Raises:
            SpaceError: there is none; carries the node's path.
        """
        operation = self._by_name.get(node.op)
        if operation is None:
            hint = did_you_mean(node.op, self._by_name)
            raise SpaceError(f"there is no operation {node.op!r}{hint}", path=node.path)
        return operation

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def node(
        self,
        op: str,
        inputs: tuple[int, ...] = (),
        attrs: Mapping[str, object] | None = None,
        *,
        path: str = "",
        shared: str | None = None,
    ) -> Node:
        """A node with checked and completed attributes.

        Raises:
            SpaceError: unknown operation or attribute, or a wrong value; carries ``path``.
        """
        try:
            complete = self[op].complete(attrs or {})
        except SpaceError as error:
            raise SpaceError(str(error), path=path) from None
        return Node(op=op, attrs=complete, inputs=inputs, path=path, shared=shared)


def custom_operation(
    name: str,
    *,
    infer: Infer | None = None,
    count: Counter | None = None,
    attributes: tuple[Attribute, ...] = (),
    arity: tuple[int, int | None] = (1, 1),
) -> Operation:
    """A user's operation ``custom:<name>``, to be carried in an extended catalogue.

    Args:
        name: without the prefix.
        infer: output shape; None: that of the first input.
        count: costs; None: no parameters, no FLOPs, one activation for each output element.
        attributes: what it takes.
        arity: fewest and most inputs.

    >>> halved = custom_operation("halved", infer=lambda shapes, attrs: (shapes[0][0] // 2,))
    >>> halved.name, halved.infer(((8,),), {})
    ('custom:halved', (4,))
    """
    return Operation(
        name=CUSTOM_PREFIX + name,
        summary="A user's operation.",
        attributes=attributes,
        arity=arity,
        infer=infer or _first_shape,
        count=count or _count_output,
        parametric=True,
    )


def _first_shape(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    return shapes[0]


def _count_output(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    total = 1
    for size in out:
        total *= size
    return Count(0, 0, total)
