"""Statements on artifacts."""

from __future__ import annotations

from sqlalchemy import Delete, Insert, bindparam, delete, insert

from morphml.storage.tables import artifacts


def add_artifact() -> Insert:
    """A file that exists from this transaction on."""
    return insert(artifacts)


def drop_artifact() -> Delete:
    """What an experiment's file was before it was written again under the same key."""
    return delete(artifacts).where(
        artifacts.c.key == bindparam("p_key"), artifacts.c.experiment == bindparam("p_experiment")
    )
