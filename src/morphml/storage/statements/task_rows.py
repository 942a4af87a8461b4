"""Statements on tasks: enqueueing, claiming, ending, giving back."""

from __future__ import annotations

from sqlalchemy import (
    Delete,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import ReturningDelete

from morphml.search.experiment import ExperimentState
from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import TaskState
from morphml.storage.tables import artifacts, classes, experiments, tasks, trials

_t = tasks.c
#: A task by its key.
_this = and_(
    _t.owner == bindparam("p_owner"),
    _t.number == bindparam("p_number"),
    _t.segment == bindparam("p_segment"),
)
#: The task of a trial or job that a live token holds.
_held = and_(
    _t.owner == bindparam("p_owner"),
    _t.number == bindparam("p_number"),
    _t.token == bindparam("p_token"),
)
#: The task is held by a session.
_leased_by = (
    _t.state == constant(TaskState.LEASED),
    checked(_t.holder) == bindparam("p_session"),
)
#: Whoever holds a task, or posted the end of its attempt.
_who_held = func.coalesce(_t.holder, _t.lost_holder)


def add_task() -> Insert:
    """A task, ready or already leased."""
    return insert(tasks)


def class_of() -> Select[tuple[object, ...]]:
    """The class of a requirement set, if it is interned."""
    return select(classes.c.id).where(
        classes.c.owner == bindparam("p_owner"),
        classes.c.requirements == bindparam("p_requirements"),
    )


def add_class() -> Insert:
    """A requirement set that was not met before."""
    return (
        insert(classes)
        .values(owner=bindparam("p_owner"), requirements=bindparam("p_requirements"))
        .returning(classes.c.id)
    )


def classes_of() -> Select[tuple[object, ...]]:
    """All classes of one owner."""
    return select(classes.c.id, classes.c.requirements).where(
        classes.c.owner == bindparam("p_owner")
    )


def open_classes() -> Select[tuple[object, ...]]:
    """Classes of all shared experiments that run and go on, with the smallest rank that is ready.

    One step into the index for each class; the rank is null where nothing is ready.
    """
    head = (
        select(_t.rank)
        .where(
            _t.class_id == classes.c.id,
            _t.state == constant(TaskState.PENDING),
            _t.due_at.is_(None),
        )
        .order_by(_t.rank)
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return (
        select(head.label("head"), classes.c.id, classes.c.requirements, classes.c.owner)
        .select_from(experiments.join(classes, classes.c.owner == experiments.c.id))
        .where(
            # In the words of the index ``ix_experiments_open``, which holds the queued ones too.
            experiments.c.state.in_(
                [constant(ExperimentState.QUEUED), constant(ExperimentState.RUNNING)]
            ),
            experiments.c.state == constant(ExperimentState.RUNNING),
            experiments.c.requested_state.is_(None),
            experiments.c.shared == literal_column("1"),
        )
    )


def wake_due() -> Update:
    """Make the tasks ready whose time has come; not those that another transaction has locked."""
    due = tasks.alias("due")
    key = (due.c.owner, due.c.number, due.c.segment)
    # Read once: an hour that goes on during the statement could not be looked up in an index.
    now = select(database_now()).scalar_subquery()
    come = select(*key).where(due.c.due_at <= now).with_for_update(skip_locked=True)
    return (
        update(tasks).where(tuple_(_t.owner, _t.number, _t.segment).in_(come)).values(due_at=null())
    )


def ready_of_class() -> Select[tuple[object, ...]]:
    """The first ready tasks of one class, by rank; not those that another claim has locked."""
    return (
        select(
            _t.rank,
            _t.id,
            _t.owner,
            _t.number,
            _t.segment,
            _t.lost_token,
            _t.lost_holder,
            _t.leased_at,
        )
        .where(
            _t.class_id == bindparam("p_class"),
            _t.state == constant(TaskState.PENDING),
            _t.due_at.is_(None),
        )
        .order_by(_t.rank, _t.id)
        .limit(bindparam("p_limit"))
        .with_for_update(skip_locked=True)
    )


def lease() -> Update:
    """A session takes a ready task under a fresh token; what was lost before cannot come back."""
    return (
        update(tasks)
        .where(_this, checked(_t.state) == constant(TaskState.PENDING))
        .values(
            state=constant(TaskState.LEASED),
            holder=bindparam("p_session"),
            token=bindparam("p_token"),
            attempts=_t.attempts + bindparam("p_lost"),
            lost_token=null(),
            lost_holder=null(),
            leased_at=database_now(),
        )
        .returning(_t.from_epoch, _t.to_epoch, _t.attempts, _t.leased_at)
    )


def claimed_trial() -> Select[tuple[object, ...]]:
    """The decisions of one trial, and its checkpoint that is furthest on, if it has one."""
    t, a = trials.c, artifacts.c
    mine = (a.experiment == t.experiment) & (a.number == t.number) & a.step.is_not(None)
    return (
        select(t.vector, a.token, a.number, a.step, a.key, a.digest, a.size)
        .select_from(trials.outerjoin(artifacts, mine))
        .where(t.experiment == bindparam("p_experiment"), t.number == bindparam("p_number"))
        .order_by(a.step.desc(), a.created_at.desc())
        .limit(literal_column("1"))
    )


def finish() -> ReturningDelete[tuple[object, ...]]:
    """A finished task leaves, if the token is the live one."""
    return delete(tasks).where(_held).returning(_t.segment, _t.attempts, _who_held, _t.state)


def held_task() -> Select[tuple[object, ...]]:
    """The task that a live token holds; nobody takes it before this transaction is over."""
    return select(_t.segment, _t.attempts, _who_held, _t.state).where(_held).with_for_update()


def put_back() -> Update:
    """A task whose attempt ended waits for its next attempt or for a promotion."""
    return (
        update(tasks)
        .where(_held)
        .values(
            state=bindparam("p_state"),
            due_at=bindparam("p_due_at"),
            rank=bindparam("p_rank"),
            attempts=_t.attempts + literal_column("1"),
            holder=null(),
            token=null(),
            lost_holder=null(),
            leased_at=null(),
        )
    )


def drop_segments() -> Delete:
    """Tasks of one trial before a segment leave: they ended, or waited for this promotion."""
    return delete(tasks).where(
        _t.owner == bindparam("p_owner"),
        _t.number == bindparam("p_number"),
        _t.segment < bindparam("p_segment"),
    )


def requeue() -> Update:
    """Tasks of a session that is gone go back; its workers may take them until the next claim."""
    return (
        update(tasks)
        .where(_t.holder == bindparam("p_session"))
        .values(
            state=constant(TaskState.PENDING),
            lost_token=_t.token,
            lost_holder=_t.holder,
            holder=null(),
            token=null(),
        )
    )


def hand_over() -> Update:
    """Tasks of a session that stops go back; for a while only their own workers may take them."""
    return (
        update(tasks)
        .where(_t.holder == bindparam("p_session"))
        .values(
            state=constant(TaskState.PENDING),
            due_at=database_now() + bindparam("p_grace_s"),
            lost_token=_t.token,
            lost_holder=_t.holder,
            holder=null(),
            token=null(),
        )
    )


def give_back() -> Update:
    """A task that was leased and never started goes back without an attempt."""
    return (
        update(tasks)
        .where(_held)
        .values(
            state=constant(TaskState.PENDING),
            holder=null(),
            token=null(),
            lost_holder=null(),
            leased_at=null(),
        )
        .returning(_t.number)
    )


def give_all_back() -> Update:
    """All tasks of a session that ends in order go back without an attempt."""
    return (
        update(tasks)
        .where(_t.holder == bindparam("p_session"))
        .values(state=constant(TaskState.PENDING), holder=null(), token=null(), leased_at=null())
    )


def adopt() -> Update:
    """A session takes over an attempt whose worker has announced itself with the token."""
    return (
        update(tasks)
        .where(
            _t.owner == bindparam("p_owner"),
            _t.number == bindparam("p_number"),
            or_(
                and_(_t.state == constant(TaskState.LEASED), _t.token == bindparam("p_token")),
                and_(
                    _t.state == constant(TaskState.PENDING), _t.lost_token == bindparam("p_token")
                ),
            ),
        )
        .values(
            state=constant(TaskState.LEASED),
            holder=bindparam("p_session"),
            token=bindparam("p_token"),
            due_at=null(),
            lost_token=null(),
            lost_holder=null(),
        )
        .returning(_t.number)
    )


def held_by() -> Select[tuple[object, ...]]:
    """The task that a session holds under a token; locked where masters write side by side."""
    return select(_t.segment).where(_held, *_leased_by).with_for_update()


def end_held() -> Update:
    """The attempt of a held task is over: its result waits for the driver, and nobody holds it."""
    return (
        update(tasks)
        .where(_held, *_leased_by)
        .values(state=constant(TaskState.ENDED), holder=null(), lost_holder=_t.holder)
    )


def ended_of() -> Select[tuple[object, ...]]:
    """The task whose attempt of a token is over and waits for the driver."""
    return select(_t.segment).where(_held, _t.state == constant(TaskState.ENDED))


def unfinished_of() -> Select[tuple[object, ...]]:
    """Tasks of one owner that wait, are held or have ended; not those that wait for a promotion."""
    return (
        select(
            _t.id,
            _t.number,
            _t.segment,
            _t.to_epoch,
            _t.token,
            _t.holder,
            _t.attempts,
            _t.due_at,
        )
        .where(_t.owner == bindparam("p_owner"), _t.state != constant(TaskState.PAUSED))
        .order_by(_t.number, _t.segment)
    )


def under_way_of() -> Select[tuple[object, ...]]:
    """Of those tasks the ones that are held or have ended."""
    return unfinished_of().where(_t.token.is_not(None))


def leased_of() -> Select[tuple[object, ...]]:
    """Tokens of the attempts of one owner that are under way."""
    return (
        select(_t.token)
        .where(_t.owner == bindparam("p_owner"), _t.state == constant(TaskState.LEASED))
        .order_by(_t.number, _t.segment)
    )


def states_of() -> Select[tuple[object, ...]]:
    """How many tasks of one owner are in each state."""
    return (
        select(_t.state, func.count())
        .where(_t.owner == bindparam("p_owner"))
        .group_by(_t.state)
        .order_by(_t.state)
    )
