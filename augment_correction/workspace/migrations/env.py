"""What Alembic runs; `migrating.py` hands it the connection, inside of a transaction."""

from __future__ import annotations

from alembic import context

from augment_correction.workspace.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, transactional_ddl=False
)
context.run_migrations()
