"""Signing in: sessions end apart from links, links for one use are used once, tries are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("people", sa.Column("session_serial", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "used_links",
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link", name="pk_used_links"),
    )
    op.create_table(
        "tries",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_tries"),
    )
