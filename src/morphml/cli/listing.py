"""``morphml list``: the experiments in a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson, Store
from morphml.cli.screen import results, table_of, write_json

if TYPE_CHECKING:
    from morphml.search.changes import ExperimentRecord
    from morphml.storage import SqlStore

HEADS = {
    "id": False,
    "name": False,
    "state": False,
    "trials": True,
    "objectives": False,
    "created (UTC)": False,
    "reason": False,
}


def list_(context: typer.Context, storage: Store, as_json: AsJson = False) -> None:
    """List the experiments in a store, newest first."""
    with guard(context, as_json=as_json), readable(storage) as store:
        from morphml.storage.address import without_password  # noqa: PLC0415 as above

        records = store.experiments()
        if as_json:
            write_json([_document(record) for record in records])
        else:
            rows = [_row(record) for record in records]
            results().print(table_of(without_password(storage), HEADS, rows))


@contextmanager
def readable(storage: str) -> Iterator[SqlStore]:
    """The store, open for reading; closed at the end.

    Raises:
        StorageError: when there is none, or it is not ours.
    """
    from morphml.storage import StoreOptions, open_store  # noqa: PLC0415 SQLAlchemy takes a second

    store = open_store(storage, StoreOptions(), create=False)
    try:
        yield store
    finally:
        store.close()


def _document(record: ExperimentRecord) -> dict[str, object]:
    """One experiment, for programs."""
    optimizer = record.spec.get("optimizer")
    return {
        "id": record.id,
        "name": record.name,
        "state": record.state.value,
        "reason": record.reason,
        "trials": record.next_number,
        "budget": record.budget,
        "optimizer": optimizer["name"] if isinstance(optimizer, dict) else "",
        "objectives": record.spec.get("objectives"),
        "created_at": _created(record).isoformat(timespec="seconds"),
    }


def _row(record: ExperimentRecord) -> tuple[object, ...]:
    """One experiment: the columns of ``HEADS``."""
    objectives = record.spec.get("objectives")
    return (
        record.id,
        record.name,
        record.state.value,
        f"{record.next_number}/{record.budget}",
        ", ".join(objectives) if isinstance(objectives, dict) else "",
        _created(record).strftime("%Y-%m-%d %H:%M"),
        record.reason,
    )


def _created(record: ExperimentRecord) -> datetime:
    return datetime.fromtimestamp(record.created_at, tz=UTC)
