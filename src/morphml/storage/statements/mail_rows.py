"""Statements on what masters tell drivers about attempts that they hold."""

from __future__ import annotations

from sqlalchemy import Delete, Insert, Select, bindparam, delete, insert, select

from morphml.storage.expressions import database_now
from morphml.storage.tables import mail

_m = mail.c


def add_mail() -> Insert:
    """One thing told; ids of one token rise in the order of posting, since its task is locked."""
    return insert(mail).values(
        experiment=bindparam("p_owner"),
        number=bindparam("p_number"),
        segment=bindparam("p_segment"),
        token=bindparam("p_token"),
        kind=bindparam("p_kind"),
        body=bindparam("p_body"),
        posted_at=database_now(),
    )


def mail_of() -> Select[tuple[object, ...]]:
    """The oldest mail of one experiment, at most ``p_limit`` of it."""
    return (
        select(_m.id, _m.number, _m.segment, _m.token, _m.kind, _m.body, _m.posted_at)
        .where(_m.experiment == bindparam("p_experiment"))
        .order_by(_m.id)
        .limit(bindparam("p_limit"))
    )


def drop_mail() -> Delete:
    """The driver has acted on one thing told."""
    return delete(mail).where(_m.id == bindparam("p_id"))


def drop_mail_of() -> Delete:
    """An experiment is completed: what is left tells of attempts that were cancelled."""
    return delete(mail).where(_m.experiment == bindparam("p_id"))


def drop_mail_of_token() -> Delete:
    """The end of an attempt is stored: nothing told about it counts any more."""
    return delete(mail).where(_m.token == bindparam("p_token"))
