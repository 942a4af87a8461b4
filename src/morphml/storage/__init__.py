"""Stores: SQLite files and a store in memory, over one set of statements; files beside them."""

from morphml.storage.artifacts import LocalArtifacts, StoredFile, artifact_key
from morphml.storage.options import Durability, StoreOptions
from morphml.storage.states import TaskState
from morphml.storage.store import SqlStore, open_store

__all__ = [
    "Durability",
    "LocalArtifacts",
    "SqlStore",
    "StoreOptions",
    "StoredFile",
    "TaskState",
    "artifact_key",
    "open_store",
]
