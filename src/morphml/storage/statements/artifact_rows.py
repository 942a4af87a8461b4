"""Statements on artifacts."""

from __future__ import annotations

from sqlalchemy import Insert, insert

from morphml.storage.tables import artifacts


def add_artifact() -> Insert:
    """A file that exists from this transaction on."""
    return insert(artifacts)
