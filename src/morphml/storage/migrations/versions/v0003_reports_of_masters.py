"""What each master tells the others of itself, beside its lease.

Frozen: later changes are later files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of version 2 to version 3."""
    op.add_column("sessions", sa.Column("report", sa.Text(), nullable=False, server_default="{}"))
