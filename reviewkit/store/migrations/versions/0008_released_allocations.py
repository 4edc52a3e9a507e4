"""A reviewer who thinks they know the author passes the submission on: the pair is released and never comes back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("allocations", sa.Column("released", sa.DateTime(timezone=True)))
