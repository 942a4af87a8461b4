"""What the shell offers on TAB: stores in this folder, and experiments of the store just typed."""

from __future__ import annotations

from pathlib import Path

import typer

from morphml.errors import MorphError


def complete_store(incomplete: str) -> list[str]:
    """Store files that begin with ``incomplete``."""
    start = Path(incomplete)
    folder = start if incomplete.endswith("/") else start.parent
    found = (str(path) for path in folder.glob("*.db"))
    return sorted(path for path in found if path.startswith(incomplete.removeprefix("./")))


def complete_experiment(context: typer.Context, incomplete: str) -> list[str]:
    """Names and ids of the experiments in the store that stands before; none when it cannot be."""
    storage = context.params.get("storage")
    if not isinstance(storage, str):
        return []
    from morphml.storage import StoreOptions, open_store  # noqa: PLC0415 SQLAlchemy takes a second

    try:
        store = open_store(storage, StoreOptions(), create=False)
    except MorphError:
        return []  # the command itself will say what is wrong with the store
    try:
        names = {word for record in store.experiments() for word in (record.name, record.id)}
    finally:
        store.close()
    return sorted(name for name in names if name.startswith(incomplete))
