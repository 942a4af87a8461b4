"""Whole stores copied from one kind into another: every row, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Double, Table, Text

from morphml.errors import StoreInUse, StoreMismatch
from morphml.search.experiment import ExperimentState
from morphml.storage import open_store
from morphml.storage.copying import (
    COPY_OPTIONS,
    Copied,
    _insert_into,
    _pages,
    copy_store,
)
from morphml.storage.database import Database, Row
from morphml.storage.opening import open_database
from morphml.storage.tables import metadata
from morphml.testing.postgres import PrivateServer
from morphml.testing.store_contract import Ask, DriverScript, sample_spec

Place = Callable[[], str]
#: More than one page of each table.
ROWS = 2_050


@pytest.fixture
def places(
    tmp_path: Path, postgres_server: PrivateServer, postgres_template: str
) -> dict[str, Place]:
    return {
        "sqlite": lambda: str(tmp_path / f"{len(list(tmp_path.iterdir()))}.db"),
        "postgresql": lambda: postgres_server.new_database(postgres_template),
    }


@contextlib.contextmanager
def opened(place: str) -> Iterator[Database]:
    with contextlib.closing(open_database(place, COPY_OPTIONS)) as database:
        yield database


def value(table: Table, name: str, place: int) -> str | int | float:
    """What the column holds in the row of that place; the same in columns that refer to it."""
    column = table.c[name]
    for key in column.foreign_keys:
        return value(key.column.table, key.column.key, place)
    if isinstance(column.type, Text):
        return f"{table.name}.{name} ü'\"\n{place:06d}"
    return place + 0.25 if isinstance(column.type, Double) else place + 1


def fill(database: Database) -> None:
    """Rows in every table, none of which says anything."""
    with database.writing() as run:
        for table in metadata.sorted_tables:
            count = 20 if table.name == "bundle_chunks" else ROWS
            run.add(
                _insert_into(table),
                [tuple(value(table, c.key, n) for c in table.columns) for n in range(count)],
            )


def content(database: Database) -> dict[str, list[Row]]:
    with database.reading() as run:
        return {
            table.name: [tuple(row) for page in _pages(run, table) for row in page]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize(
    ("source", "target"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("postgresql", "postgresql")],
)
def test_every_row_of_every_table_is_copied(
    places: dict[str, Place], source: str, target: str
) -> None:
    shown: list[Copied] = []
    with opened(places[source]()) as read, opened(places[target]()) as written:
        fill(read)
        counts = copy_store(read, written, shown.append)
        before = content(read)
        assert content(written) == before
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert set(counts.values()) == {20, ROWS}
    assert {one.table for one in shown} == set(counts)
    assert all(one.rows <= one.total for one in shown)
    assert [one.rows for one in shown if one.table == "log"] == [2_000, ROWS]


def test_copied_experiment_goes_on_where_it_was(places: dict[str, Place]) -> None:
    origin, place = places["sqlite"](), places["postgresql"]()
    with contextlib.closing(open_store(origin)) as store:
        script = DriverScript(
            store, store.create_experiment(sample_spec()), store.open_session("a")
        )
        first, second = script.ask(2)
        script.tell(first)
        script.ask(3, Ask(leased=False, requirements={"gpu": 1.0}))
        script.finish(ExperimentState.PAUSED)
        store.close_session(script.right.session)
    with opened(origin) as read, opened(place) as written:
        copy_store(read, written, lambda _: None)
    with contextlib.closing(open_store(place)) as store:
        again = DriverScript(store, script.right.experiment, store.open_session("b"))
        assert (again.number, again.seq) == (script.number, script.seq)
        assert len(store.claim(script.right.experiment, again.right.session, 9)) == 4
        again.ask(1, Ask(requirements={"ssd": 1.0}))  # a new class: an id that nobody has
        store.requests.cancel_trial(script.right.experiment, second.number)
        assert [one.number for one in store.requests.waiting(again.right.experiment)] == [1]


def test_target_that_holds_anything_is_left_as_it_is(places: dict[str, Place]) -> None:
    with opened(places["sqlite"]()) as read, opened(places["postgresql"]()) as written:
        fill(read)
        copy_store(read, written, lambda _: None)
        before = content(written)
        with pytest.raises(StoreMismatch, match="not empty"):
            copy_store(read, written, lambda _: None)
        assert content(written) == before


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_source_that_somebody_drives_is_not_copied(places: dict[str, Place], kind: str) -> None:
    place = places[kind]()
    with contextlib.closing(open_store(place)) as store:
        store.open_session("driving")
        with (
            opened(place) as read,
            opened(places["sqlite"]()) as written,
            pytest.raises(StoreInUse, match="1 live session"),
        ):
            copy_store(read, written, lambda _: None)


def test_copy_that_is_broken_off_leaves_nothing(places: dict[str, Place]) -> None:
    def stop(copied: Copied) -> None:
        if copied.table == "trials":
            raise KeyboardInterrupt

    with opened(places["sqlite"]()) as read, opened(places["postgresql"]()) as written:
        fill(read)
        with pytest.raises(KeyboardInterrupt):
            copy_store(read, written, stop)
        assert not any(content(written).values())
        copy_store(read, written, lambda _: None)
