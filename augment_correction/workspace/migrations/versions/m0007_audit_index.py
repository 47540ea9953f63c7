"""Events of an organisation by what was done and when: what quotas and throttles count at every message, refusal and registration."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("audit_events_by_action", "audit_events", ["org_id", "action", "at"])
