"""Second factors encrypted and asked for, and accounts of an identity provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("users", sa.Column("totp", sa.String(255), nullable=True))
    _encrypt()
    op.drop_column("users", "totp_secret")
    op.add_column("login_sessions", sa.Column("strong", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("organisations", sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "identities",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"])


def _encrypt() -> None:
    """What earlier versions kept as it is."""
    users = sa.table("users", sa.column("id"), sa.column("totp"), sa.column("totp_secret"))
    connection = op.get_bind()
    plain = connection.execute(sa.select(users.c.id, users.c.totp_secret).where(users.c.totp_secret.is_not(None))).all()
    for id_, secret in plain:
        sealed = context.config.attributes["cipher"].sealed(secret)
        connection.execute(sa.update(users).where(users.c.id == id_).values(totp=sealed))
