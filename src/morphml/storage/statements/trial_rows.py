"""Statements on trials and on the attempts that ended."""

from __future__ import annotations

from sqlalchemy import Insert, Select, Update, bindparam, func, insert, select, tuple_, update

from morphml.storage.tables import attempts, trials

_t = trials.c
_a = attempts.c


def add_trial() -> Insert:
    """A trial under the number that the fence gave; a point is tried once per experiment."""
    return insert(trials)


def update_trial() -> Update:
    """A trial's state and what is known of its result; metrics once known stay."""
    return (
        update(trials)
        .where(_t.experiment == bindparam("p_experiment"), _t.number == bindparam("p_number"))
        .values(
            state=bindparam("p_state"),
            metrics=func.coalesce(bindparam("p_metrics"), _t.metrics),
            duration_s=bindparam("p_duration_s"),
            epochs=bindparam("p_epochs"),
            ended_at=bindparam("p_ended_at"),
        )
    )


def trials_from() -> Select[tuple[object, ...]]:
    """The next trials of one experiment by number, at most ``p_limit`` of them."""
    return (
        select(
            _t.number,
            _t.state,
            _t.vector,
            _t.graph_id,
            _t.point_id,
            _t.computed,
            _t.metrics,
            _t.duration_s,
            _t.epochs,
            _t.created_at,
            _t.ended_at,
        )
        .where(_t.experiment == bindparam("p_experiment"), _t.number > bindparam("p_after"))
        .order_by(_t.number)
        .limit(bindparam("p_limit"))
    )


def add_attempt() -> Insert:
    """An attempt that ended."""
    return insert(attempts)


def attempts_from() -> Select[tuple[object, ...]]:
    """The next attempts of one owner by number, segment and index, at most ``p_limit`` of them."""
    return (
        select(
            _a.number,
            _a.segment,
            _a.idx,
            _a.result,
            _a.worker,
            _a.started_at,
            _a.duration_s,
            _a.failure,
        )
        .where(
            _a.owner == bindparam("p_owner"),
            tuple_(_a.number, _a.segment, _a.idx)
            > tuple_(bindparam("p_number"), bindparam("p_segment"), bindparam("p_index")),
        )
        .order_by(_a.number, _a.segment, _a.idx)
        .limit(bindparam("p_limit"))
    )


def result_of() -> Select[tuple[object, ...]]:
    """How the attempt of a token ended, if its end is stored."""
    return select(_a.result).where(
        _a.owner == bindparam("p_owner"),
        _a.number == bindparam("p_number"),
        _a.token == bindparam("p_token"),
    )
