"""Tables of experiments, of tasks and who runs them, and of what belongs to both."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Table, Text, UniqueConstraint, text

from morphml.storage.tables.metadata import Whole, metadata

#: The one row that a driver transaction begins with: fence, numbers, budget and log order.
experiments = Table(
    "experiments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("budget", Whole, nullable=False),
    Column("next_number", Whole, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("epoch", Whole, nullable=False),
    Column("nonce", Text),
    Column("driver", Text),
    Column("driven_from", Double, nullable=False),
    Column("driven_to", Double, nullable=False),
    Column("spent_s", Double, nullable=False),
    Column("requested_state", Text),
    Column("requested_reason", Text),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    #: 1 to 10; higher goes first.
    Column("priority", Whole, nullable=False, server_default="5"),
    #: 1 once it was left to the masters; a search that one process runs for itself is 0.
    Column("shared", Whole, nullable=False, server_default="0"),
    Index("ix_experiments_created_at", "created_at"),
    sqlite_with_rowid=False,
)
_open = text("state IN ('queued', 'running')")
#: What masters look through for something to drive, and for tasks to run for others.
Index("ix_experiments_open", experiments.c.state, sqlite_where=_open, postgresql_where=_open)

#: One total order per experiment; ``seq`` comes from the experiment row.
log = Table(
    "log",
    metadata,
    Column("experiment", Text, ForeignKey("experiments.id"), primary_key=True),
    Column("seq", Whole, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("number", Whole, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)

trials = Table(
    "trials",
    metadata,
    Column("experiment", Text, ForeignKey("experiments.id"), primary_key=True),
    Column("number", Whole, primary_key=True),
    Column("state", Text, nullable=False),
    Column("vector", Text, nullable=False),
    Column("graph_id", Text),
    Column("point_id", Text, nullable=False),
    Column("computed", Text, nullable=False),
    Column("metrics", Text),
    Column("duration_s", Double, nullable=False),
    Column("epochs", Whole, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    UniqueConstraint("experiment", "point_id"),
    sqlite_with_rowid=False,
)

#: Requirement sets, interned per owner (an experiment or an execution): the tasks of one class
#: differ only in rank, so the next one of each class is the head of a walk along one index.
classes = Table(
    "classes",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("owner", Text, nullable=False),
    Column("requirements", Text, nullable=False),
    UniqueConstraint("owner", "requirements"),
)

#: What is to be done or being done; a finished row leaves. ``owner`` and ``number`` name a trial of
#: an experiment or a job of an execution, as ``kind`` says. The lost token is that of an attempt
#: whose session ended: its worker may take the task back until the next claim. The lost holder of
#: an ended task is the session that posted its end.
tasks = Table(
    "tasks",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("number", Whole, primary_key=True),
    Column("segment", Whole, primary_key=True),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("from_epoch", Whole, nullable=False),
    Column("to_epoch", Whole, nullable=False),
    Column("class", Whole, ForeignKey("classes.id"), nullable=False, key="class_id"),
    Column("rank", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Double),
    Column("attempts", Whole, nullable=False),
    Column("holder", Text),
    Column("token", Text),
    Column("lost_token", Text),
    Column("lost_holder", Text),
    Column("leased_at", Double),
    sqlite_with_rowid=False,
)
_ready = text("state = 'pending' AND due_at IS NULL")
#: Claims walk this: the head of each class is its next task.
Index(
    "ix_tasks_ready",
    tasks.c.class_id,
    tasks.c.rank,
    tasks.c.id,
    sqlite_where=_ready,
    postgresql_where=_ready,
)
_due = text("due_at IS NOT NULL")
#: Tasks that wait for a time, such as a retry's delay.
Index("ix_tasks_due", tasks.c.due_at, sqlite_where=_due, postgresql_where=_due)
_held = text("holder IS NOT NULL")
#: What a session holds, for its end.
Index("ix_tasks_held", tasks.c.holder, sqlite_where=_held, postgresql_where=_held)

#: Written once, when the attempt ends.
attempts = Table(
    "attempts",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("number", Whole, primary_key=True),
    Column("segment", Whole, primary_key=True),
    Column("index", Whole, primary_key=True, key="idx"),
    Column("token", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("session", Text),
    Column("started_at", Double, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("failure", Text),
    Column("ended_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: The life of one master or REST worker; the only rows renewed on a timer.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("ended_at", Double),
    #: Where workers and other masters reach it; empty where nobody does.
    Column("address", Text, nullable=False, server_default=""),
    #: What its master tells the others of itself, as a JSON object of the masters' own.
    Column("report", Text, nullable=False, server_default="{}"),
    sqlite_with_rowid=False,
)
_live = text("state = 'live'")
Index("ix_sessions_live", sessions.c.expires_at, sqlite_where=_live, postgresql_where=_live)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incarnation", Whole, nullable=False),
    Column("session", Text, ForeignKey("sessions.id")),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("offers", Text, nullable=False),
    Column("figures", Text),
    Column("joined_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    #: When somebody asked it to leave, and the seconds for what runs: null for the worker's own.
    Column("drain_asked_at", Double),
    Column("drain_grace_s", Double),
    sqlite_with_rowid=False,
)

#: Files that exist: a checkpoint does so from the commit of its row on.
artifacts = Table(
    "artifacts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("experiment", Text, ForeignKey("experiments.id")),
    Column("number", Whole),
    Column("step", Whole),
    Column("kind", Text, nullable=False),
    Column("token", Text),
    Column("digest", Text, nullable=False),
    Column("size", Whole, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_artifacts_experiment_number_step", "experiment", "number", "step"),
    sqlite_with_rowid=False,
)

#: What finished experiments taught, for later ones.
knowledge = Table(
    "knowledge",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: What other processes ask of an experiment's driver.
requests = Table(
    "requests",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("experiment", Text, ForeignKey("experiments.id"), nullable=False),
    Column("verb", Text, nullable=False),
    Column("number", Whole),
    Column("made_at", Double, nullable=False),
    Index("ix_requests_experiment", "experiment"),
)

#: What masters tell the driver about attempts that they hold and do not drive.
mail = Table(
    "mail",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("experiment", Text, ForeignKey("experiments.id"), nullable=False),
    Column("number", Whole, nullable=False),
    Column("segment", Whole, nullable=False),
    Column("token", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("posted_at", Double, nullable=False),
    Index("ix_mail_experiment", "experiment", "id"),
    Index("ix_mail_token", "token"),
)

#: What drivers order of attempts that other masters hold.
orders = Table(
    "orders",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("experiment", Text, ForeignKey("experiments.id"), nullable=False),
    Column("number", Whole, nullable=False),
    Column("token", Text, nullable=False),
    Column("order", Text, nullable=False, key="verb"),
    Column("sent_at", Double, nullable=False),
)

#: Source code of evaluators, by the digest of its bytes; never changed.
bundles = Table(
    "bundles",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("size", Whole, nullable=False),
    Column("chunks", Whole, nullable=False),
    Column("created_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: The bytes of bundles in base64, at most 1 MiB of them a row.
bundle_chunks = Table(
    "bundle_chunks",
    metadata,
    Column("digest", Text, ForeignKey("bundles.digest"), primary_key=True),
    Column("index", Whole, primary_key=True, key="idx"),
    Column("data", Text, nullable=False),
)
