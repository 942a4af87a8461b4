"""Search spaces: decisions, layers, their language, and the questions a space answers. Pure."""

from __future__ import annotations

from morphml.space.architecture import Architecture, Framework
from morphml.space.blocks import Block, Input
from morphml.space.compose import (
    cell,
    join,
    nest,
    parallel,
    repeat,
    residual,
    sequence,
    shared,
    tap,
)
from morphml.space.decisions import Code, Decision, Kind, Vector
from morphml.space.domains import choice, integer, optional, real
from morphml.space.expressions import Expression, channels, divisors, ref, round_to
from morphml.space.membership import Difference, Membership
from morphml.space.search_space import GraphSpace, SearchSpace
from morphml.space.size import Size
from morphml.space.text import parse_block, parse_constraint, parse_expression, parse_space

__all__ = [
    "Architecture",
    "Block",
    "Code",
    "Decision",
    "Difference",
    "Expression",
    "Framework",
    "GraphSpace",
    "Input",
    "Kind",
    "Membership",
    "SearchSpace",
    "Size",
    "Vector",
    "cell",
    "channels",
    "choice",
    "divisors",
    "integer",
    "join",
    "nest",
    "optional",
    "parallel",
    "parse_block",
    "parse_constraint",
    "parse_expression",
    "parse_space",
    "real",
    "ref",
    "repeat",
    "residual",
    "round_to",
    "sequence",
    "shared",
    "tap",
]
