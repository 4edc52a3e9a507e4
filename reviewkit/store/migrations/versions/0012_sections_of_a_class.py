"""A class has sections, and assistants have to do with their own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("people", sa.Column("sections", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
