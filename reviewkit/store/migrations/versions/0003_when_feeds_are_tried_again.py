"""Feeds remember when they are tried again, how often they failed, whether they stopped, and where they moved."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("feeds", sa.Column("next_try", sa.DateTime(timezone=True)))
    op.add_column("feeds", sa.Column("not_before", sa.DateTime(timezone=True)))
    op.add_column("feeds", sa.Column("stopped", sa.DateTime(timezone=True)))
    op.add_column("feeds", sa.Column("moved_to", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("feeds", sa.Column("moved_times", sa.Integer(), nullable=False, server_default="0"))
