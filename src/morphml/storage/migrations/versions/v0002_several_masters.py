"""Several masters: queued experiments, mail and orders between masters, source bundles.

Frozen: later changes are later files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: 64 bits everywhere; SQLite wants the plain word for a key that counts by itself.
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the tables of version 1 to version 2."""
    op.add_column("experiments", sa.Column("priority", WHOLE, nullable=False, server_default="5"))
    op.add_column("experiments", sa.Column("shared", WHOLE, nullable=False, server_default="0"))
    op.add_column("sessions", sa.Column("address", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_experiments_open",
        "experiments",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    _add_mail_and_orders()
    _add_bundles()


def _add_mail_and_orders() -> None:
    op.create_table(
        "mail",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("segment", WHOLE, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["experiment"], ["experiments.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mail_experiment", "mail", ["experiment", "id"], unique=False)
    op.create_index("ix_mail_token", "mail", ["token"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["experiment"], ["experiments.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def _add_bundles() -> None:
    op.create_table(
        "bundles",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("chunks", WHOLE, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bundle_chunks",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("index", WHOLE, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["bundles.digest"]),
        sa.PrimaryKeyConstraint("digest", "index"),
    )
