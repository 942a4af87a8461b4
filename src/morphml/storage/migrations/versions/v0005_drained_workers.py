"""Workers that were asked to leave, on their rows.

Frozen: later changes are later files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of version 4 to version 5."""
    op.add_column("workers", sa.Column("drain_asked_at", sa.Double(), nullable=True))
    op.add_column("workers", sa.Column("drain_grace_s", sa.Double(), nullable=True))
