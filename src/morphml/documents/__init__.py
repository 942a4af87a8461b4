"""Files that people write: YAML with the place of every value, and mistakes that point at it."""

from __future__ import annotations

from morphml.documents.located import START, Document, Path, Place, read_document
from morphml.documents.mistakes import (
    MAX_TOLD,
    Mistake,
    mistakes_of,
    nearest,
    refusal,
    validated,
)

__all__ = [
    "MAX_TOLD",
    "START",
    "Document",
    "Mistake",
    "Path",
    "Place",
    "mistakes_of",
    "nearest",
    "read_document",
    "refusal",
    "validated",
]
