"""Tables of workflows, their executions, the queue of jobs, and locks."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Table, Text, text

from morphml.storage.tables.metadata import Whole, metadata

#: Documents of workflows by the digest of their text; equal ones are stored once.
workflows = Table(
    "workflows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: ``unfinished`` counts jobs that have not ended, ``active`` those that have a task; ``seq``
#: numbers the events. Whoever ends jobs touches the row once, last of all.
executions = Table(
    "executions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workflow", Text, ForeignKey("workflows.id"), nullable=False),
    Column("key", Text, unique=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("parallelism", Whole),
    Column("unfinished", Whole, nullable=False),
    Column("active", Whole, nullable=False),
    Column("succeeded", Whole, nullable=False),
    Column("failed", Whole, nullable=False),
    Column("seq", Whole, nullable=False),
    #: How often people had jobs of it run again.
    Column("taken_up", Whole, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    Index("ix_executions_workflow", "workflow"),
    Index("ix_executions_created_at", "created_at", "id"),
    sqlite_with_rowid=False,
)
_going_on = text("ended_at IS NULL")
#: What masters look through for jobs to run.
Index(
    "ix_executions_open",
    executions.c.state,
    sqlite_where=_going_on,
    postgresql_where=_going_on,
)
_over = text("ended_at IS NOT NULL")
#: What has been over for longest, to be forgotten.
Index("ix_executions_over", executions.c.ended_at, sqlite_where=_over, postgresql_where=_over)

#: Jobs by their place in the document, and the parts of those that run once for each item: part k
#: of job j is number ``(k + 1) * 16384 + j``. ``waiting_for`` is the fan-in counter: parents that
#: have not ended, and of a job in parts the parts that have not; ``passed`` and ``barred`` say how
#: the others ended. What a job is, and who waits for it, stands in the document.
jobs = Table(
    "jobs",
    metadata,
    Column("execution", Text, ForeignKey("executions.id"), primary_key=True),
    Column("number", Whole, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("waiting_for", Whole, nullable=False),
    Column("passed", Whole, nullable=False),
    Column("barred", Whole, nullable=False),
    #: 1 where parents kept it from running.
    Column("kept", Whole, nullable=False),
    #: Attempts that failed: by its own fault, and by that of machines.
    Column("failures", Whole, nullable=False),
    Column("losses", Whole, nullable=False),
    #: 1 to 10; higher goes first.
    Column("priority", Whole, nullable=False),
    #: When it could first run, and where it stands among those that wait for room.
    Column("ready_at", Double),
    Column("rank", Double),
    Column("item", Text),
    Column("outputs", Text),
    #: Of a search that has begun: its experiment, empty until that is made.
    Column("experiment", Text),
    Column("ended_at", Double),
    sqlite_with_rowid=False,
)
_by_room = text("state = 'ready'")
#: Those that wait for room in an execution that may run so many at once.
Index(
    "ix_jobs_ready",
    jobs.c.execution,
    jobs.c.rank,
    jobs.c.number,
    sqlite_where=_by_room,
    postgresql_where=_by_room,
)
_searching = text("experiment IS NOT NULL AND state = 'active'")
#: Those whose work is an experiment.
Index("ix_jobs_searching", jobs.c.experiment, sqlite_where=_searching, postgresql_where=_searching)
_ended = text("ended_at IS NOT NULL")
#: What ended lately.
Index("ix_jobs_ended_at", jobs.c.ended_at, sqlite_where=_ended, postgresql_where=_ended)

#: What happened in executions, in one order each; ``seq`` comes from the execution's row.
execution_events = Table(
    "execution_events",
    metadata,
    Column("execution", Text, ForeignKey("executions.id"), primary_key=True),
    Column("seq", Whole, primary_key=True),
    Column("job", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: What jobs wrote, up to a limit.
job_output = Table(
    "job_output",
    metadata,
    Column("execution", Text, ForeignKey("executions.id"), primary_key=True),
    Column("number", Whole, primary_key=True),
    Column("seq", Whole, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: One row: what holds for the claims of jobs by all masters.
queue = Table(
    "queue",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=False),
    Column("paused", Whole, nullable=False),
    Column("draining", Whole, nullable=False),
    #: Jobs a second; null for any number.
    Column("rate", Double),
    #: Jobs that may begin now, as of ``filled_at``.
    Column("allowance", Double, nullable=False),
    Column("filled_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: Locks with an owner and an end.
locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    sqlite_with_rowid=False,
)
