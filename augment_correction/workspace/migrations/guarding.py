"""What the database itself refuses: rows of another organisation (PostgreSQL), and a change of the audit (both)."""

from __future__ import annotations

from alembic import op


def guard_rows(*tables: str) -> None:
    """PostgreSQL shows and takes only rows of the organisation that the transaction named, from the tables' owner, too. Superusers
    are above it: the workspace's role should not be one."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_rows ON {table} USING (current_setting('workspace.organisation', true) IN ('*', org_id))"
        )


def seal_audit() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_is_sealed() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_events_sealed BEFORE UPDATE OR DELETE ON audit_events "
            "FOR EACH ROW EXECUTE FUNCTION audit_is_sealed()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_events_no_{change.lower()} BEFORE {change} ON audit_events "
            "BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END"
        )
