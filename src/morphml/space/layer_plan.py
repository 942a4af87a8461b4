"""Compiling layers: a layer's node is made once for each combination of codes it reads."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from morphml.errors import ShapeError, SpaceError
from morphml.graph.attribute import Attribute, Attrs, Kind
from morphml.graph.operation import Catalogue, Count, Operation, custom_operation
from morphml.graph.operations import OPERATIONS
from morphml.graph.values import Shape
from morphml.space.blocks import Custom, Layer, import_path
from morphml.space.compiler import Compiler
from morphml.space.guards import Codes
from morphml.space.importing import resolved
from morphml.space.layers.making import ALIASES
from morphml.space.memory import Made, remembered
from morphml.space.naming import joined
from morphml.space.places import Place
from morphml.space.tracing import Trace, channels_of
from morphml.space.values import Value


class LayerPlan:
    """One layer at one place, ready to be lowered."""

    __slots__ = (
        "_codes",
        "_memory",
        "_shelf",
        "arguments",
        "catalogue",
        "op",
        "path",
        "reads",
        "shared",
        "vector_only",
    )

    def __init__(
        self,
        op: str,
        arguments: tuple[tuple[str, Value], ...],
        place: Place,
        catalogue: Catalogue = OPERATIONS,
        *,
        vector_only: bool = False,
    ) -> None:
        self.op = op
        self.arguments = arguments
        self.catalogue = catalogue
        self.path = place.node
        self.reads = tuple(dict.fromkeys(i for _, value in arguments for i in value.reads))
        parametric = place.shared is not None and catalogue[op].parametric
        self.shared = place.shared if parametric else None
        #: True: only (d,) may enter, as for a network's last layer.
        self.vector_only = vector_only
        #: The codes that it reads, of all codes.
        self._codes: Callable[[Codes], object] = (
            itemgetter(*self.reads) if self.reads else lambda codes: None
        )
        self._memory = place.memory
        self._shelf = place.memory.shelf()

    def __call__(self, trace: Trace, source: int) -> int:
        """Add this layer behind ``source``; its position."""
        shapes = trace.shapes
        shape = shapes[source]
        key = (source, shape, self._codes(trace.codes))
        found = self._shelf.get(key)
        if found is None:
            found = self._memory.keep(self._shelf, key, self._made(trace, source, shape))
        # As `trace.recall`, without the call: this is the most frequent one.
        trace.parts.append(found)
        trace.nodes.append(found[0])
        shapes.append(found[1])
        return len(shapes) - 1

    def _made(self, trace: Trace, source: int, shape: Shape) -> Made:
        channels = channels_of(shape) if shape else None
        if self.vector_only and len(shape) != 1:
            raise ShapeError(
                f"output() needs a vector (d,), got {shape}; put L.flatten() or a global pool "
                "before it",
                path=self.path,
                shapes=(shape,),
            )
        attrs = {name: value.of(trace.codes, channels) for name, value in self.arguments}
        node = self.catalogue.node(self.op, (source,), attrs, path=self.path, shared=self.shared)
        return remembered(node, (shape,), self.catalogue)


def layer_plan(layer: Layer, place: Place, compiler: Compiler) -> LayerPlan:
    """The plan of a built-in layer; ``place`` includes the layer's own segment.

    Raises:
        SpaceError: an unknown layer, or an argument it does not take, with the path.
    """
    op = ALIASES.get(layer.kind, layer.kind)
    if op not in OPERATIONS:
        raise SpaceError(f"there is no layer {layer.kind!r}", path=place.path)
    arguments = tuple(
        (name, compiler.value(value, joined(place.path, name), place))
        for name, value in layer.arguments
    )
    return LayerPlan(op, arguments, place, vector_only=layer.kind == "output")


def custom_plan(custom: Custom, place: Place, compiler: Compiler) -> LayerPlan:
    """The plan of a user's module; registers its operation with the compiler."""
    operation = _operation(custom, compiler)
    arguments = tuple(
        (name, compiler.value(value, joined(place.path, name), place))
        for name, value in custom.arguments
    )
    return LayerPlan(operation.name, arguments, place, Catalogue.of((operation,)))


def _operation(custom: Custom, compiler: Compiler) -> Operation:
    module = custom.module
    written = module if isinstance(module, str) else import_path(module).strip("'")
    attributes = tuple(
        Attribute(name=name, kind=Kind.ANY, required=True) for name, _ in custom.arguments
    )
    number = 1
    name = written
    while True:
        operation = custom_operation(
            name, infer=_infer(custom.shape), count=_count(custom), attributes=attributes
        )
        known = compiler.modules.get(operation.name)
        if known is None or known == (custom.module, custom.shape, custom.params, attributes):
            break
        number += 1
        name = f"{written}#{number}"
    compiler.modules[operation.name] = (custom.module, custom.shape, custom.params, attributes)
    compiler.operations[operation.name] = operation
    return operation


def _infer(shape: object) -> Callable[[tuple[Shape, ...], Attrs], Shape] | None:
    if shape is None:
        return None

    def infer(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
        made = resolved(shape)(shapes[0], **dict(attrs))
        if not isinstance(made, tuple | list) or not all(isinstance(n, int) for n in made):
            raise ShapeError(f"shape= of custom() returned {made!r}, not a shape", shapes=shapes)
        return tuple(made)

    return infer


def _count(custom: Custom) -> Callable[[tuple[Shape, ...], Shape, Attrs], Count]:
    def count(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
        elements = 1
        for size in out:
            elements *= size
        params = custom.params
        if params is not None and not isinstance(params, int):
            params = resolved(params)(shapes[0], **dict(attrs))
        return Count(params if isinstance(params, int) else 0, 0, elements)

    return count
