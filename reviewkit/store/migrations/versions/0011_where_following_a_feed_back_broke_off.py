"""Feeds remember where the reading of their older pages was broken off."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("filling", sa.Text(), nullable=False, server_default=sa.text("''")))
