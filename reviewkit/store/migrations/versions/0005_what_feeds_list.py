"""Feeds remember what they list and whether older pages were read; revisions say when they are copies of a page."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("listing", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("feeds", sa.Column("filled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("revisions", sa.Column("copied", sa.Boolean(), nullable=False, server_default=sa.false()))
