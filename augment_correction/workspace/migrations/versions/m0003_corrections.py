"""Corrections, versions of the model, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from augment_correction.workspace.migrations.guarding import guard_rows

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("thread_id", sa.String(16), nullable=True),
        sa.Column("message_id", sa.String(16), nullable=True),
        sa.Column("author_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("editor_id", sa.String(16), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("by_detector", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decider_id", sa.String(16), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("decided", MOMENT, nullable=True),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
        sa.UniqueConstraint("org_id", "id"),
    )
    op.create_index("ix_corrections_message_id", "corrections", ["message_id"])
    op.create_index("ix_corrections_org_id", "corrections", ["org_id"])
    op.create_index("ix_corrections_state", "corrections", ["state"])
    op.create_table(
        "versions",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("data", sa.String(64), nullable=False),
        sa.Column("corrections", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
        sa.UniqueConstraint("org_id", "number"),
    )
    op.create_index("ix_versions_org_id", "versions", ["org_id"])
    op.create_table(
        "activations",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("who_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("rolled_back", sa.Boolean(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
        sa.UniqueConstraint("org_id", "number"),
    )
    op.create_index("ix_activations_org_id", "activations", ["org_id"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("author_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("lease", sa.String(64), nullable=True),
        sa.Column("beat", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("began", MOMENT, nullable=True),
        sa.Column("ended", MOMENT, nullable=True),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
        sa.UniqueConstraint("org_id", "id"),
    )
    op.create_index("ix_jobs_org_id", "jobs", ["org_id"])
    op.create_index("ix_jobs_state", "jobs", ["state"])
    guard_rows("corrections", "versions", "activations", "jobs")
