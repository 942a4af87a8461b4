"""The tables, as every SQL store has them.

Only types that SQLite and PostgreSQL share: text, 64-bit integers, doubles. JSON is text: bodies
are written and read by this package alone, and the text is what a person sees in a database shell.
Times are seconds since the Unix epoch. Migrations build the same schema step by step; a test
compares the two.
"""

from __future__ import annotations

from morphml.storage.tables.executions import (
    execution_events,
    executions,
    job_output,
    jobs,
    locks,
    queue,
    workflows,
)
from morphml.storage.tables.experiments import (
    artifacts,
    attempts,
    bundle_chunks,
    bundles,
    classes,
    experiments,
    knowledge,
    log,
    mail,
    orders,
    requests,
    sessions,
    tasks,
    trials,
    workers,
)
from morphml.storage.tables.metadata import metadata

__all__ = [
    "artifacts",
    "attempts",
    "bundle_chunks",
    "bundles",
    "classes",
    "execution_events",
    "executions",
    "experiments",
    "job_output",
    "jobs",
    "knowledge",
    "locks",
    "log",
    "mail",
    "metadata",
    "orders",
    "queue",
    "requests",
    "sessions",
    "tasks",
    "trials",
    "workers",
    "workflows",
]
