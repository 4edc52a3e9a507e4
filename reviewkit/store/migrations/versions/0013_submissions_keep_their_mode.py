"""A submission keeps the mode of reviews that it was frozen under; those of before have the course's of today."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    words = sa.Column("mode", sa.Text(), nullable=False, server_default=sa.text("'double-blind'"))
    op.add_column("submissions", words)
    db = op.get_bind()
    setup = db.scalar(sa.text("SELECT setup FROM course"))
    mode = json.loads(setup).get("reviews", {}).get("mode") if setup else None
    if mode:  # left out where it is the one that a new column begins with
        db.execute(sa.text("UPDATE submissions SET mode = :mode"), {"mode": mode})
