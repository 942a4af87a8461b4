"""Alembic migrations of the store, run by ``morphml.storage.migrate``."""
