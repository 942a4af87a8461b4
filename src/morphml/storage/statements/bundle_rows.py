"""Statements on source bundles."""

from __future__ import annotations

from sqlalchemy import Delete, Insert, Select, Text, bindparam, delete, insert, select

from morphml.search.experiment import ExperimentState
from morphml.storage.expressions import constant, database_now
from morphml.storage.tables import bundle_chunks, bundles, experiments, workflows


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


def unused() -> Select[tuple[object, ...]]:
    """Digest and size of older bundles that no workflow names, and only completed experiments.

    ``p_any`` is ``%``, which a statement's text cannot hold for both databases.
    """
    anything = bindparam("p_any", type_=Text())
    # A digest has no wildcards, and stands in no spec by chance.
    names_it = experiments.c.spec.like(anything + bundles.c.digest + anything)
    runs_it = workflows.c.document.like(anything + bundles.c.digest + anything)
    goes_on = experiments.c.state != constant(ExperimentState.COMPLETED)
    return (
        select(bundles.c.digest, bundles.c.size)
        .where(
            bundles.c.created_at < database_now() - bindparam("p_age_s"),
            ~select(experiments.c.id).where(goes_on, names_it).exists(),
            ~select(workflows.c.id).where(runs_it).exists(),
        )
        .order_by(bundles.c.digest)
    )


def drop_chunks() -> Delete:
    """All chunks of a bundle."""
    return delete(bundle_chunks).where(bundle_chunks.c.digest == bindparam("p_digest"))


def drop_bundle() -> Delete:
    """A bundle whose chunks are gone."""
    return delete(bundles).where(bundles.c.digest == bindparam("p_digest"))
