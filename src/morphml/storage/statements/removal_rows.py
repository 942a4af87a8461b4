"""Statements that take an experiment out of the store, children before the row they point to."""

from __future__ import annotations

from sqlalchemy import Delete, Select, bindparam, delete, select

from morphml.storage.tables import (
    artifacts,
    attempts,
    classes,
    experiments,
    jobs,
    log,
    mail,
    orders,
    requests,
    tasks,
    trials,
)


def job_of_experiment() -> Select[tuple[object, ...]]:
    """The execution whose search job an experiment is."""
    return select(jobs.c.execution).where(jobs.c.experiment == bindparam("p_id"))


def drop_tasks_of() -> Delete:
    """All tasks of an owner."""
    return delete(tasks).where(tasks.c.owner == bindparam("p_id"))


def drop_attempts_of() -> Delete:
    """All attempts of an owner."""
    return delete(attempts).where(attempts.c.owner == bindparam("p_id"))


def drop_classes_of() -> Delete:
    """All classes of an owner; its tasks are gone."""
    return delete(classes).where(classes.c.owner == bindparam("p_id"))


def drop_orders_of() -> Delete:
    """All orders about attempts of an experiment."""
    return delete(orders).where(orders.c.experiment == bindparam("p_id"))


def drop_mail_of() -> Delete:
    """All mail for an experiment's driver."""
    return delete(mail).where(mail.c.experiment == bindparam("p_id"))


def drop_requests_of() -> Delete:
    """All that was asked of an experiment's driver."""
    return delete(requests).where(requests.c.experiment == bindparam("p_id"))


def drop_artifacts_of() -> Delete:
    """The rows of an experiment's files."""
    return delete(artifacts).where(artifacts.c.experiment == bindparam("p_id"))


def drop_trials_of() -> Delete:
    """All trials of an experiment."""
    return delete(trials).where(trials.c.experiment == bindparam("p_id"))


def drop_log_of() -> Delete:
    """The log of an experiment."""
    return delete(log).where(log.c.experiment == bindparam("p_id"))


def drop_experiment() -> Delete:
    """The experiment itself."""
    return delete(experiments).where(experiments.c.id == bindparam("p_id"))


#: In the order in which they may be run.
EVERYTHING = (
    drop_tasks_of,
    drop_attempts_of,
    drop_classes_of,
    drop_orders_of,
    drop_mail_of,
    drop_requests_of,
    drop_artifacts_of,
    drop_trials_of,
    drop_log_of,
    drop_experiment,
)
