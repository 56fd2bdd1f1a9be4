"""Alembic's entry: migrates over the connection that ``migrate.upgrade`` hands in."""

from alembic import context

from pipeline.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
