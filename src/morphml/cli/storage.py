"""``morphml storage``: migrate a store, copy it into another one, look it over."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from morphml.cli.exit_codes import ExitCode
from morphml.cli.guard import guard
from morphml.cli.options import AsJson
from morphml.cli.screen import messages, results, table_of, write_json

if TYPE_CHECKING:
    from morphml.storage.copying import Copied

_PLACE = "A file such as search.db, or postgresql://user@host/database."
Place = Annotated[str, typer.Argument(metavar="STORE", help=_PLACE)]
Source = Annotated[str, typer.Argument(metavar="SOURCE", help=f"What is copied. {_PLACE}")]
Target = Annotated[str, typer.Argument(metavar="TARGET", help=f"Empty, or not there. {_PLACE}")]

storage = typer.Typer(
    help="Migrate a store, copy it into another one, or look it over.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@storage.command(epilog="Examples\n\n$ morphml storage migrate postgresql://morphml@db/search")
def migrate(context: typer.Context, store: Place, as_json: AsJson = False) -> None:
    """Bring the tables of a store to this version, or lay them into an empty database.

    Opening a store does the same; this is for doing it at a chosen time, after a backup.
    """
    with guard(context, as_json=as_json):
        # SQLAlchemy takes a second, and help and completion read this module.
        from morphml.storage import StoreOptions, open_store  # noqa: PLC0415
        from morphml.storage.address import is_url, without_password  # noqa: PLC0415
        from morphml.storage.opening import schema_version  # noqa: PLC0415

        before = schema_version(store)
        open_store(store, StoreOptions(), create=is_url(store)).close()
        after, shown = schema_version(store), without_password(store)
        if as_json:
            write_json({"store": shown, "before": before, "after": after})
        elif before == after:
            results().print(f"{shown}: is at version {after}; nothing to do", markup=False)
        else:
            was = "was empty" if before is None else f"was at version {before}"
            results().print(f"{shown}: is at version {after}, {was}", markup=False)


@storage.command(
    epilog="Examples\n\n$ morphml storage copy search.db postgresql://morphml@db/search"
)
def copy(
    context: typer.Context,
    source: Source,
    target: Target,
    files: Annotated[
        bool, typer.Option(help="Copy checkpoints and other files too, where they lie elsewhere.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Copy a whole store into an empty one, whole or not at all: a file to a server, or back.

    Nobody may drive searches on the source meanwhile. Searches go on from the copy with `resume`.
    """
    with guard(context, as_json=as_json):
        # As above.
        from morphml.storage.address import without_password  # noqa: PLC0415
        from morphml.storage.copying import (  # noqa: PLC0415
            COPY_OPTIONS,
            copy_store,
            owners_of_files,
        )
        from morphml.storage.opening import open_database  # noqa: PLC0415

        with (
            closing(open_database(source, COPY_OPTIONS, create=False)) as read,
            closing(open_database(target, COPY_OPTIONS)) as written,
            _progress(shown=not as_json) as progress,
        ):
            rows = copy_store(read, written, progress)
            owners = owners_of_files(written)
        moved = _copy_files(source, target, owners) if files else 0
        if as_json:
            write_json({"target": without_password(target), "rows": rows, "files": moved})
            return
        counts = [(name, count) for name, count in rows.items() if count]
        results().print(table_of("", {"table": False, "rows": True}, counts))
        done = f"{sum(rows.values())} rows and {moved} files are in {without_password(target)}"
        results().print(done, markup=False)


@storage.command(epilog="Examples\n\n$ morphml storage check search.db --json")
def check(context: typer.Context, store: Place, as_json: AsJson = False) -> None:
    """Look for gaps in numbers and logs, tasks without a trial or a holder, and missing files.

    Reads only; others may go on using the store. The exit status is 1 when something is found.
    """
    with guard(context, as_json=as_json):
        # As above.
        from morphml.master.places import artifacts_folder  # noqa: PLC0415
        from morphml.storage.address import without_password  # noqa: PLC0415
        from morphml.storage.checking import check_store  # noqa: PLC0415
        from morphml.storage.copying import COPY_OPTIONS  # noqa: PLC0415
        from morphml.storage.opening import open_database  # noqa: PLC0415

        with closing(open_database(store, COPY_OPTIONS, create=False)) as database:
            found = check_store(database, artifacts_folder(store))
        if as_json:
            write_json([asdict(finding) for finding in found])
        elif found:
            heads = {"check": False, "experiment": False, "trial": True, "found": False}
            rows = [tuple(asdict(finding).values()) for finding in found]
            results().print(table_of(without_password(store), heads, rows))
        else:
            results().print(f"{without_password(store)}: nothing is wrong", markup=False)
        if found:
            raise typer.Exit(ExitCode.FAILED)


@storage.command(epilog="Examples\n\n$ morphml storage prune postgresql://morphml@db/search")
def prune(context: typer.Context, store: Place, as_json: AsJson = False) -> None:
    """Delete the code of experiments that are completed, which was sent for their workers.

    What a paused, failed, waiting or running experiment names stays, and so does the code of
    workflows that are kept, and what is younger than an hour. Who raises the budget of a completed
    experiment sends its code again.
    """
    with guard(context, as_json=as_json):
        # As above.
        from morphml.storage import StoreOptions, open_store  # noqa: PLC0415
        from morphml.storage.address import without_password  # noqa: PLC0415

        with closing(open_store(store, StoreOptions(), create=False)) as opened:
            pruned = opened.bundles.prune()
        shown, total = without_password(store), sum(pruned.values())
        if as_json:
            write_json({"store": shown, "bundles": len(pruned), "bytes": total})
            return
        done = f"{shown}: {len(pruned)} bundles with {total} bytes are deleted"
        results().print(done, markup=False)


class _Shown:
    """Progress on standard error: a bar for each table."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._table = ""

    def __call__(self, copied: Copied) -> None:
        if self._bars is None:
            return
        if copied.table != self._table:
            self._table = copied.table
            self._bar = self._bars.add_task(copied.table, total=copied.total)
        self._bars.update(self._bar, completed=copied.rows)


@contextmanager
def _progress(*, shown: bool) -> Iterator[_Shown]:
    if not shown:
        yield _Shown(None)
        return
    with Progress(console=messages(), transient=True) as bars:
        yield _Shown(bars)


def _copy_files(source: str, target: str, owners: Iterable[str]) -> int:
    """Copy the files of a store's experiments and executions; how many there were.

    Those of other databases may lie in the same folder.
    """
    from morphml.master.places import artifacts_folder  # noqa: PLC0415  # as above

    there, here = artifacts_folder(source), artifacts_folder(target)
    if there == here:
        return 0
    copied = 0

    def one(origin: str, place: str) -> str:
        nonlocal copied
        copied += 1
        return str(shutil.copy2(origin, place))

    for owner in owners:
        if (there / owner).is_dir():
            shutil.copytree(there / owner, here / owner, dirs_exist_ok=True, copy_function=one)
    return copied
