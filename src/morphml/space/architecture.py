"""One member of a space: its decisions and, made when first asked for, its model graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

from morphml.errors import SpaceError
from morphml.graph import Costs, ModelGraph, canonical, costs, graph_id, infer_shapes, to_svg
from morphml.graph.costing import costs_of_nodes
from morphml.graph.identity import id_of_nodes
from morphml.graph.operation import Catalogue
from morphml.graph.values import Shape
from morphml.ids import GraphId, PointId, digest
from morphml.plugins import load_plugin
from morphml.space.decisions import Vector
from morphml.space.importing import resolved
from morphml.space.memory import Made

if TYPE_CHECKING:
    # A space makes architectures and an architecture names its space; only types meet here.
    from morphml.space.network import Lowered
    from morphml.space.search_space import SearchSpace


class Framework(Protocol):
    """Turns model graphs into runnable models; found under the entry points of FRAMEWORKS."""

    def build(
        self,
        graph: ModelGraph,
        *,
        custom: Mapping[str, object],
        catalogue: Catalogue,
        **options: object,
    ) -> object:
        """A model with fresh weights; the options are the framework's own."""

    def to_python(self, architecture: Architecture, path: object, **options: object) -> object:
        """Write a standalone source file."""

    def to_onnx(self, architecture: Architecture, path: object, **options: object) -> object:
        """Write an ONNX file."""

    def to_program(self, architecture: Architecture, path: object, **options: object) -> object:
        """Write the framework's own program file."""

    def to_torchscript(self, architecture: Architecture, path: object, **options: object) -> object:
        """Write TorchScript; only torch's framework is asked."""


#: The group of entry points in which frameworks are looked up.
FRAMEWORKS = "morphml.frameworks"


class Architecture:
    """A member of a space. Immutable; everything beyond the vector is made when first asked for.

    Two architectures are equal when their spaces and vectors are; whether they are the same network
    is for `graph_id` to say, and whether they are the same point for `point_id`.
    """

    __slots__ = ("_canonical", "_costs", "_graph_id", "_lowered", "_point_id", "space", "vector")

    def __init__(self, space: SearchSpace, vector: Vector) -> None:
        """For a space's own use: the vector is not checked; see `SearchSpace.architecture`."""
        #: The space that it is a member of.
        self.space = space
        #: Codes aligned with ``space.decisions``; None: inactive.
        self.vector = vector
        self._lowered: Lowered | None = None
        self._canonical: ModelGraph | None = None
        self._costs: Costs | None = None
        self._graph_id: GraphId | None = None
        self._point_id: PointId | None = None

    @property
    def decisions(self) -> dict[str, object]:
        """Values of the active decisions by path, in the space's order; blocks by their label."""
        return {
            decision.path: decision.options[int(code)] if decision.options else code
            for decision, code in zip(self.space.decisions, self.vector, strict=True)
            if code is not None
        }

    @property
    def hyper(self) -> dict[str, object]:
        """Values of the active hyperparameters (or decisions of the escape hatch) by name."""
        return self.space.compiled.hyper_values(self.vector)

    @property
    def graph(self) -> ModelGraph:
        """The model graph, as the space's blocks say it.

        Raises:
            ShapeError: where shapes do not fit, with the path and both shapes.
            SpaceError: when the space has no layers.
        """
        if self._lowered is None:
            network = self.space.compiled.network
            if network is None:
                raise SpaceError("this space has no layers, so its members have no model graph")
            self._lowered = network.lower(self.vector)
        return self._lowered.graph

    @property
    def canonical(self) -> ModelGraph:
        """What is built: the model graph in its normal form."""
        if self._canonical is None:
            self._canonical = canonical(self.graph, self.space.catalogue)
        return self._canonical

    def _parts(self, form: ModelGraph) -> tuple[Made, ...] | None:
        """What is remembered of the canonical form's nodes, where that is the graph as made."""
        lowered = self._lowered
        return lowered.parts if lowered is not None and lowered.graph is form else None

    @property
    def graph_id(self) -> GraphId | None:
        """The identity of what is built; None where there is no graph."""
        if self._graph_id is None and self.space.has_graph:
            form = self.canonical
            parts = self._parts(form)
            if parts is None:
                self._graph_id = graph_id(form, self.space.catalogue)
            else:
                self._graph_id = id_of_nodes([part.code for part in parts], form.outputs)
        return self._graph_id

    @property
    def point_id(self) -> PointId:
        """The identity by which duplicates are judged: graph and hyperparameters.

        Without a graph: all active decisions. Without hyperparameters: the graph id.
        """
        if self._point_id is None:
            values = self.hyper if self.space.has_graph else self.decisions
            graph = self.graph_id or ""
            if values or not graph:
                written = "\n".join(f"{name}={values[name]!r}" for name in sorted(values))
                self._point_id = PointId(digest(f"{graph}\n{written}".encode()))
            else:
                self._point_id = PointId(graph)
        return self._point_id

    @property
    def costs(self) -> Costs:
        """Parameters, FLOPs, activations and shapes of what is built."""
        if self._costs is None:
            form = self.canonical
            parts = self._parts(form)
            counts = [part.cost for part in parts or () if part.cost is not None]
            if parts is None or len(counts) < len(parts):
                self._costs = costs(form, self.space.catalogue)
            else:
                shapes = tuple([part.shape for part in parts])
                self._costs = costs_of_nodes(form.nodes, shapes, counts)
        return self._costs

    @property
    def computed(self) -> dict[str, float]:
        """The figures ``params``, ``flops``, ``activation_bytes``; empty without a graph."""
        if not self.space.has_graph:
            return {}
        made = self.costs
        return {
            "params": made.params,
            "flops": made.flops,
            "activation_bytes": made.activation_bytes,
        }

    @property
    def params(self) -> int:
        """Trainable numbers of what is built."""
        return self.costs.params

    @property
    def flops(self) -> int:
        """Floating-point operations for one sample; a multiply-add is two."""
        return self.costs.flops

    @property
    def activation_bytes(self) -> int:
        """Bytes of float32 activations for one sample."""
        return self.costs.activation_bytes

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Output shapes of the nodes of `graph`, in their order."""
        return infer_shapes(self.graph, self.space.catalogue)

    def build(self, framework: str = "torch", **options: object) -> object:
        """The model, with fresh weights; for a space with ``build=``, what that returns.

        Args:
            framework: an installed framework's name.
            options: the framework's own, such as ``device`` and ``seed`` for torch.

        Raises:
            ShapeError: where shapes do not fit.
            SpaceError: when the space has neither layers nor ``build=``.
        """
        build = self.space.definition.build
        if build is not None:
            return resolved(build)(**self.hyper)
        made = _framework(framework)
        return made.build(
            self.graph, custom=self.space.custom, catalogue=self.space.catalogue, **options
        )

    def to_python(self, path: object, framework: str = "torch", **options: object) -> object:
        """Write the network as a standalone source file; the options are the framework's."""
        return _framework(framework).to_python(self, path, **options)

    def to_onnx(self, path: object, framework: str = "torch", **options: object) -> object:
        """Write the network as an ONNX file; the options are the framework's."""
        return _framework(framework).to_onnx(self, path, **options)

    def to_program(self, path: object, framework: str = "torch", **options: object) -> object:
        """Write the network as the framework's own program file; for torch that of torch.export."""
        return _framework(framework).to_program(self, path, **options)

    def to_torchscript(self, path: object, **options: object) -> object:
        """Write the network as TorchScript; the options are those of torch's framework."""
        return _framework("torch").to_torchscript(self, path, **options)

    def to_json(self) -> dict[str, object]:
        """Space, vector, decisions, hyperparameters and ids as plain values."""
        made: dict[str, object] = {
            "space": self.space.to_text(),
            "vector": list(self.vector),
            "decisions": self.decisions,
            "hyper": self.hyper,
            "point_id": self.point_id,
        }
        if self.space.has_graph:
            made |= {"graph_id": self.graph_id, "graph": self.canonical.to_json()}
        return made

    def svg(self) -> str:
        """A drawing of the network."""
        return to_svg(self.canonical)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        return self.vector == other.vector and self.space == other.space

    def __hash__(self) -> int:
        return hash(self.vector)

    def __repr__(self) -> str:
        return f"Architecture({self.decisions!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return Architecture, (self.space, self.vector)


def _framework(name: str) -> Framework:
    found = load_plugin(FRAMEWORKS, name)
    return cast(Framework, found() if isinstance(found, type) else found)
