"""The text form of spaces, expressions and constraints: parsed, never executed."""

from __future__ import annotations

from morphml.space.text.forms import parse_block, parse_constraint, parse_expression, parse_space

__all__ = ["parse_block", "parse_constraint", "parse_expression", "parse_space"]
