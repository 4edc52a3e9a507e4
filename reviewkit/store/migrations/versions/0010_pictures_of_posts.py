"""Copies of the pictures in posts, in the store that all machines share."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pictures")),
        sa.UniqueConstraint("digest", name=op.f("uq_pictures_digest")),
    )
    op.create_table(
        "picture_sources",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("dot", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["pictures.name"], name=op.f("fk_picture_sources_name")),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_picture_sources")),
    )
    op.create_index(op.f("ix_picture_sources_name"), "picture_sources", ["name"])
    op.create_table(
        "post_pictures",
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name=op.f("fk_post_pictures_post")),
        sa.ForeignKeyConstraint(["name"], ["pictures.name"], name=op.f("fk_post_pictures_name")),
        sa.PrimaryKeyConstraint("post", "name", name=op.f("pk_post_pictures")),
    )
    op.create_index(op.f("ix_post_pictures_name"), "post_pictures", ["name"])
