"""Model graphs as values: shapes, costs, canonical form, identity, drawing. Pure."""

from __future__ import annotations

from morphml.graph.attribute import Attribute, Kind
from morphml.graph.checking import checked
from morphml.graph.costing import Costs, costs
from morphml.graph.drawing import to_svg
from morphml.graph.identity import canonical, graph_id
from morphml.graph.operation import CUSTOM_PREFIX, Catalogue, Count, Operation, custom_operation
from morphml.graph.operations import OPERATIONS
from morphml.graph.shapes import infer_node, infer_shapes
from morphml.graph.values import Attributes, ModelGraph, Node, Scalar, Shape, Value

__all__ = [
    "CUSTOM_PREFIX",
    "OPERATIONS",
    "Attribute",
    "Attributes",
    "Catalogue",
    "Costs",
    "Count",
    "Kind",
    "ModelGraph",
    "Node",
    "Operation",
    "Scalar",
    "Shape",
    "Value",
    "canonical",
    "checked",
    "costs",
    "custom_operation",
    "graph_id",
    "infer_node",
    "infer_shapes",
    "to_svg",
]
