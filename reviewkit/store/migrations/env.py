"""Alembic runs this file; the connection, with its transaction, comes from `reviewkit.store.engine.migrate`."""

from alembic import context

from reviewkit.store.engine import VERSION_TABLE
from reviewkit.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # Alembic expects SQLite to commit at every CREATE; here a transaction holds them all.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
