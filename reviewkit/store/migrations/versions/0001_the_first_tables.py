"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "allocation_runs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("allocated", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_allocation_runs"),
    )
    op.create_table(
        "course",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("setup", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_course_one_course")),
        sa.PrimaryKeyConstraint("id", name="pk_course"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("feeds", sa.Text(), nullable=False),
        sa.Column("excluded", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("link_serial", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_table(
        "pseudonyms",
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pseudonyms"),
    )
    op.create_table(
        "rubrics",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_rubrics"),
        sa.UniqueConstraint("number", name="uq_rubrics_number"),
    )
    op.create_table(
        "drafts",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_drafts_person"),
        sa.PrimaryKeyConstraint("person", "form", name="pk_drafts"),
    )
    op.create_table(
        "feeds",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("succeeded", sa.DateTime(timezone=True)),
        sa.Column("tried", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_feeds_person"),
        sa.PrimaryKeyConstraint("person", "url", name="pk_feeds"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_outbox_person"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_person", "outbox", ["person"])
    op.create_table(
        "posts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("published", sa.DateTime(timezone=True)),
        sa.Column("gone", sa.DateTime(timezone=True)),
        sa.Column("sightings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_posts_person"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
    )
    op.create_index("ix_posts_person", "posts", ["person"])
    op.create_table(
        "submissions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("assignment", sa.Text(), nullable=False),
        sa.Column("rubric", sa.Text(), nullable=False),
        sa.Column("revisions", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_submissions_person"),
        sa.ForeignKeyConstraint(["pseudonym"], ["pseudonyms.name"], name="fk_submissions_pseudonym"),
        sa.ForeignKeyConstraint(["rubric"], ["rubrics.digest"], name="fk_submissions_rubric"),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint("person", "assignment", name="uq_submissions_person_assignment"),
        sa.UniqueConstraint("pseudonym", name="uq_submissions_pseudonym"),
    )
    op.create_index("ix_submissions_assignment", "submissions", ["assignment"])
    op.create_table(
        "allocations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("assignment", sa.Text(), nullable=False),
        sa.Column("submission", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["pseudonym"], ["pseudonyms.name"], name="fk_allocations_pseudonym"),
        sa.ForeignKeyConstraint(["reviewer"], ["people.id"], name="fk_allocations_reviewer"),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name="fk_allocations_submission"),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
        sa.UniqueConstraint("pseudonym", name="uq_allocations_pseudonym"),
        sa.UniqueConstraint("submission", "reviewer", name="uq_allocations_submission_reviewer"),
    )
    op.create_index("ix_allocations_assignment", "allocations", ["assignment"])
    op.create_index("ix_allocations_reviewer", "allocations", ["reviewer"])
    op.create_table(
        "requests",
        sa.Column("submission", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name="fk_requests_submission"),
        sa.PrimaryKeyConstraint("submission", "request", name="pk_requests"),
    )
    op.create_table(
        "revisions",
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name="fk_revisions_post"),
        sa.PrimaryKeyConstraint("post", "number", name="pk_revisions"),
    )
    op.create_table(
        "sheet_answers",
        sa.Column("submission", sa.Text(), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name="fk_sheet_answers_submission"),
        sa.PrimaryKeyConstraint("submission", name="pk_sheet_answers"),
    )
    op.create_table(
        "texts",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("submission", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text()),
        sa.Column("text", sa.Text()),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name="fk_texts_submission"),
        sa.PrimaryKeyConstraint("digest", name="pk_texts"),
    )
    op.create_index("ix_texts_submission", "texts", ["submission"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("submission", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("rest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name="fk_turns_submission"),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("submission", "sequence", name="uq_turns_submission_sequence"),
    )
