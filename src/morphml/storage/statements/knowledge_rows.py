"""Statements on what finished experiments taught."""

from __future__ import annotations

from sqlalchemy import Delete, Select, Update, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from morphml.storage.tables import knowledge

_k = knowledge.c


def add_knowledge() -> Insert:
    """Something new under its topic and key; what stands there already stays."""
    # PostgreSQL's words, which SQLite shares: of two writers at once the second changes nothing.
    added = insert(knowledge).values(
        topic=bindparam("p_topic"),
        key=bindparam("p_key"),
        value=bindparam("p_value"),
        updated_at=bindparam("p_now"),
    )
    return added.on_conflict_do_nothing()


def knowledge_of() -> Select[tuple[object, ...]]:
    """What is known under a topic and key."""
    return select(_k.value).where(_k.topic == bindparam("p_topic"), _k.key == bindparam("p_key"))


def dated_knowledge_of() -> Select[tuple[object, ...]]:
    """What is known under a topic and key, and since when; nobody changes it meanwhile."""
    return (
        select(_k.value, _k.updated_at)
        .where(_k.topic == bindparam("p_topic"), _k.key == bindparam("p_key"))
        .with_for_update()
    )


def set_knowledge() -> Update:
    """What is known under a topic and key is something else from now on."""
    return (
        update(knowledge)
        .where(_k.topic == bindparam("p_topic"), _k.key == bindparam("p_key"))
        .values(value=bindparam("p_value"), updated_at=bindparam("p_now"))
    )


def drop_knowledge() -> Delete:
    """What was known under a topic and key is forgotten."""
    return delete(knowledge).where(_k.topic == bindparam("p_topic"), _k.key == bindparam("p_key"))


def drop_old_knowledge() -> Delete:
    """What is known of a topic for long is forgotten."""
    return delete(knowledge).where(
        _k.topic == bindparam("p_topic"), _k.updated_at < bindparam("p_before")
    )
