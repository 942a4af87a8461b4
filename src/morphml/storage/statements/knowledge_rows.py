"""Statements on what finished experiments taught."""

from __future__ import annotations

from sqlalchemy import Double, Insert, Select, Text, bindparam, exists, insert, select

from morphml.storage.tables import knowledge

_k = knowledge.c


def add_knowledge() -> Insert:
    """Something new under its topic and key; what stands there already stays."""
    known = exists().where(_k.topic == bindparam("p_topic"), _k.key == bindparam("p_key"))
    return insert(knowledge).from_select(
        ["topic", "key", "value", "updated_at"],
        select(
            bindparam("p_topic", type_=Text),
            bindparam("p_key", type_=Text),
            bindparam("p_value", type_=Text),
            bindparam("p_now", type_=Double),
        ).where(~known),
    )


def knowledge_of() -> Select[tuple[object, ...]]:
    """What is known under a topic and key."""
    return select(_k.value).where(_k.topic == bindparam("p_topic"), _k.key == bindparam("p_key"))
