"""The audit is sealed against what asks no trigger of a row: TRUNCATE on PostgreSQL, INSERT OR REPLACE on SQLite."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER audit_events_not_emptied BEFORE TRUNCATE ON audit_events "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_sealed()"
        )
        return
    op.execute(
        "CREATE TRIGGER audit_events_not_replaced BEFORE INSERT ON audit_events WHEN EXISTS (SELECT 1 FROM audit_events "
        "WHERE rowid = NEW.rowid OR id = NEW.id OR (org_id = NEW.org_id AND number = NEW.number)) "
        "BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END"
    )
