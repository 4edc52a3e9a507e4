"""One of many processes keeps the course's clock; acts that rest can be refused in words; letters can be switched off."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.add_column("outbox", sa.Column("begun", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("refused", sa.Text(), nullable=False, server_default=""))
    op.add_column("people", sa.Column("reminders", sa.Boolean(), nullable=False, server_default=sa.true()))
