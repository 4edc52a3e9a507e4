"""People add and remove feeds themselves: what they did is kept beside the roster's seed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("own_feeds", "dropped_feeds"):
        op.add_column("people", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("'[]'")))
