"""Statements on source bundles."""

from __future__ import annotations

from sqlalchemy import Insert, Select, bindparam, insert, select

from morphml.storage.expressions import database_now
from morphml.storage.tables import bundle_chunks, bundles


def add_bundle() -> Insert:
    """A bundle; its chunks are written in the same transaction."""
    return insert(bundles).values(
        digest=bindparam("p_digest"),
        size=bindparam("p_size"),
        chunks=bindparam("p_chunks"),
        created_at=database_now(),
    )


def add_chunk() -> Insert:
    """One chunk of a bundle."""
    return insert(bundle_chunks)


def bundle_of() -> Select[tuple[object, ...]]:
    """How many chunks the bundle of a digest has."""
    return select(bundles.c.chunks).where(bundles.c.digest == bindparam("p_digest"))


def chunk_of() -> Select[tuple[object, ...]]:
    """One chunk of a bundle."""
    return select(bundle_chunks.c.data).where(
        bundle_chunks.c.digest == bindparam("p_digest"),
        bundle_chunks.c.idx == bindparam("p_index"),
    )
