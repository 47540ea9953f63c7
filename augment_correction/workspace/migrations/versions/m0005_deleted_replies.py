"""What deleted chats have cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from augment_correction.workspace.migrations.guarding import guard_rows

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "deleted_replies",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("author_id", sa.String(16), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("org_id", sa.String(16), sa.ForeignKey("organisations.id"), nullable=False),
    )
    op.create_index("ix_deleted_replies_created", "deleted_replies", ["created"])
    op.create_index("ix_deleted_replies_org_id", "deleted_replies", ["org_id"])
    guard_rows("deleted_replies")
