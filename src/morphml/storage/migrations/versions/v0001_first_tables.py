"""The first tables.

Frozen: later changes are later files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: 64 bits everywhere; SQLite wants the plain word for a key that counts by itself.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lay the tables of version 1."""
    op.create_table(
        "attempts",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("segment", WHOLE, nullable=False),
        sa.Column("index", WHOLE, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "number", "segment", "index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "classes",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("requirements", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("owner", "requirements", name=op.f("uq_classes_owner_requirements")),
    )
    op.create_table(
        "experiments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("budget", WHOLE, nullable=False),
        sa.Column("next_number", WHOLE, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("driver", sa.Text(), nullable=True),
        sa.Column("driven_from", sa.Double(), nullable=False),
        sa.Column("driven_to", sa.Double(), nullable=False),
        sa.Column("spent_s", sa.Double(), nullable=False),
        sa.Column("requested_state", sa.Text(), nullable=True),
        sa.Column("requested_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_experiments_created_at", "experiments", ["created_at"], unique=False)
    op.create_table(
        "knowledge",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "locks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_sessions_live",
        "sessions",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "workflows",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "artifacts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=True),
        sa.Column("number", WHOLE, nullable=True),
        sa.Column("step", WHOLE, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_artifacts_experiment_number_step",
        "artifacts",
        ["experiment", "number", "step"],
        unique=False,
    )
    op.create_table(
        "executions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unfinished", WHOLE, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workflow"],
            ["workflows.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_executions_workflow", "executions", ["workflow"], unique=False)
    op.create_table(
        "log",
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("experiment", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "requests",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=True),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_requests_experiment", "requests", ["experiment"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("segment", WHOLE, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_epoch", WHOLE, nullable=False),
        sa.Column("to_epoch", WHOLE, nullable=False),
        sa.Column("class", WHOLE, nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("lost_token", sa.Text(), nullable=True),
        sa.Column("lost_holder", sa.Text(), nullable=True),
        sa.Column("leased_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["class"],
            ["classes.id"],
        ),
        sa.PrimaryKeyConstraint("owner", "number", "segment"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_tasks_due",
        "tasks",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_held",
        "tasks",
        ["holder"],
        unique=False,
        sqlite_where=sa.text("holder IS NOT NULL"),
        postgresql_where=sa.text("holder IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_ready",
        "tasks",
        ["class", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending' AND due_at IS NULL"),
        postgresql_where=sa.text("state = 'pending' AND due_at IS NULL"),
    )
    op.create_table(
        "trials",
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("vector", sa.Text(), nullable=False),
        sa.Column("graph_id", sa.Text(), nullable=True),
        sa.Column("point_id", sa.Text(), nullable=False),
        sa.Column("computed", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("epochs", WHOLE, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("experiment", "number"),
        sa.UniqueConstraint("experiment", "point_id", name=op.f("uq_trials_experiment_point_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incarnation", WHOLE, nullable=False),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offers", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=True),
        sa.Column("joined_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session"],
            ["sessions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_edges",
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("parent", WHOLE, nullable=False),
        sa.Column("child", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["execution"],
            ["executions.id"],
        ),
        sa.PrimaryKeyConstraint("execution", "parent", "child"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "jobs",
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("waiting_for", WHOLE, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=True),
        sa.Column("experiment", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution"],
            ["executions.id"],
        ),
        sa.ForeignKeyConstraint(
            ["experiment"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("execution", "number"),
        sa.UniqueConstraint("execution", "name", name=op.f("uq_jobs_execution_name")),
        sqlite_with_rowid=False,
    )
