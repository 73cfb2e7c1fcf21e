"""Runs the migrations in one transaction, alone: a second process waits and then finds nothing left to do."""

from alembic import context

from engine.storage.connect import engine_for, writing

MIGRATION = 7_341_002


def run() -> None:
    # SQLite alters a table by copying it: with foreign keys on, dropping the old one would delete its child rows.
    engine = engine_for(context.config.attributes["url"], foreign_keys=False)
    try:
        with writing(engine, lock=MIGRATION) as connection:
            context.configure(connection=connection, render_as_batch=True, transactional_ddl=True)
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
