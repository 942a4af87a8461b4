"""Executions of workflows: what a machine needs of them, their events, output, and the queue.

The tables of version 1 that these replace were never written to.

Frozen: later changes are later files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: 64 bits everywhere; SQLite wants the plain word for a key that counts by itself.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the tables of version 3 to version 4."""
    for name in ("job_edges", "jobs", "executions"):
        op.drop_table(name)
    _add_executions()
    _add_jobs()
    _add_what_happened()
    op.create_table(
        "queue",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("paused", WHOLE, nullable=False),
        sa.Column("draining", WHOLE, nullable=False),
        sa.Column("rate", sa.Double(), nullable=True),
        sa.Column("allowance", sa.Double(), nullable=False),
        sa.Column("filled_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )


def _add_executions() -> None:
    op.create_table(
        "executions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parallelism", WHOLE, nullable=True),
        sa.Column("unfinished", WHOLE, nullable=False),
        sa.Column("active", WHOLE, nullable=False),
        sa.Column("succeeded", WHOLE, nullable=False),
        sa.Column("failed", WHOLE, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("taken_up", WHOLE, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["workflow"], ["workflows.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name=op.f("uq_executions_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_executions_workflow", "executions", ["workflow"], unique=False)
    op.create_index("ix_executions_created_at", "executions", ["created_at", "id"], unique=False)
    _add_partial_index("ix_executions_open", "executions", ["state"], "ended_at IS NULL")
    _add_partial_index("ix_executions_over", "executions", ["ended_at"], "ended_at IS NOT NULL")


def _add_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waiting_for", WHOLE, nullable=False),
        sa.Column("passed", WHOLE, nullable=False),
        sa.Column("barred", WHOLE, nullable=False),
        sa.Column("kept", WHOLE, nullable=False),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("losses", WHOLE, nullable=False),
        sa.Column("priority", WHOLE, nullable=False),
        sa.Column("ready_at", sa.Double(), nullable=True),
        sa.Column("rank", sa.Double(), nullable=True),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("outputs", sa.Text(), nullable=True),
        sa.Column("experiment", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["execution"], ["executions.id"]),
        sa.PrimaryKeyConstraint("execution", "number"),
        sqlite_with_rowid=False,
    )
    by_room = ["execution", "rank", "number"]
    _add_partial_index("ix_jobs_ready", "jobs", by_room, "state = 'ready'")
    searching = "experiment IS NOT NULL AND state = 'active'"
    _add_partial_index("ix_jobs_searching", "jobs", ["experiment"], searching)
    _add_partial_index("ix_jobs_ended_at", "jobs", ["ended_at"], "ended_at IS NOT NULL")


def _add_what_happened() -> None:
    op.create_table(
        "execution_events",
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.id"]),
        sa.PrimaryKeyConstraint("execution", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_output",
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["execution"], ["executions.id"]),
        sa.PrimaryKeyConstraint("execution", "number", "seq"),
        sqlite_with_rowid=False,
    )


def _add_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
