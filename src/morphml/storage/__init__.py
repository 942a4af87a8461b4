"""Stores: SQLite files and a store in memory, over one set of statements."""

from morphml.storage.options import Durability, StoreOptions
from morphml.storage.states import TaskState
from morphml.storage.store import SqlStore, open_store

__all__ = [
    "Durability",
    "SqlStore",
    "StoreOptions",
    "TaskState",
    "open_store",
]
