"""Threads and messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from augment_correction.workspace.migrations.guarding import guard_rows

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "threads",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("author_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
        sa.UniqueConstraint("org_id", "id"),
    )
    op.create_index("ix_threads_org_id", "threads", ["org_id"])
    op.create_table(
        "messages",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("thread_id", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.String(16), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("beat", MOMENT, nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "thread_id"], ["threads.org_id", "threads.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("org_id", "id"),
        sa.UniqueConstraint("thread_id", "position"),
    )
    op.create_index("ix_messages_created", "messages", ["created"])
    op.create_index("ix_messages_org_id", "messages", ["org_id"])
    guard_rows("threads", "messages")
