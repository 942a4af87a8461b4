"""The catalogue of operations that MorphML knows, one family in each file."""

from __future__ import annotations

from morphml.graph.operation import Catalogue
from morphml.graph.operations import (
    convolution,
    dense,
    elementwise,
    mobile,
    normalization,
    pooling,
    reshaping,
    sequence,
    structure,
    transposed,
)

#: Every built-in operation by name.
OPERATIONS = Catalogue.of(
    (
        *structure.OPERATIONS,
        *dense.OPERATIONS,
        *convolution.OPERATIONS,
        *transposed.OPERATIONS,
        *mobile.OPERATIONS,
        *pooling.OPERATIONS,
        *normalization.OPERATIONS,
        *elementwise.OPERATIONS,
        *reshaping.OPERATIONS,
        *sequence.OPERATIONS,
    )
)

__all__ = ["OPERATIONS"]
