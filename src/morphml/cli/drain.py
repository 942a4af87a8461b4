"""``morphml drain``: ask workers to leave, whichever masters they are with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.cluster_options import Storage
from morphml.cli.guard import guard
from morphml.cli.listing import readable
from morphml.cli.options import AsJson
from morphml.cli.screen import results, write_json

if TYPE_CHECKING:
    from morphml.storage import SqlStore
    from morphml.storage.cluster import WorkerRow

#: Seconds between two looks of ``--wait``.
LOOK_EVERY_S = 0.5

Workers = Annotated[
    list[str],
    typer.Argument(metavar="WORKER...", help="Names or ids, as `morphml status` shows them."),
]
Grace = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="SECONDS",
        help="What runs there has so long to end, and is else run again elsewhere; by default the "
        "worker's own --drain-grace.",
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Return only when all of them have left.")]


def drain(
    context: typer.Context,
    workers: Workers,
    storage: Storage,
    grace: Grace = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Let workers finish what they run, take nothing more, and leave.

    Works from any machine that reaches the store, for workers of any master. The word reaches a
    worker within a second or two: what it has not begun runs elsewhere, what it runs has the grace
    to end, then it exits with status 0; until then `morphml status` shows it as draining. Either
    all that are named are asked, or, where one is unknown or gone, none. With --wait the status is
    1 where a worker was lost before it had left.
    """
    with guard(context, as_json=as_json), readable(storage) as store:
        # The store takes a second to import, and help and completion read this module.
        from morphml.master.cluster.draining import ask_to_drain  # noqa: PLC0415
        from morphml.storage.address import without_password  # noqa: PLC0415

        asked = ask_to_drain(store, workers, grace)
        shown = without_password(storage)
        if not as_json:
            for worker in asked:
                said = f"{worker.name} ({worker.id}) was asked to leave"
                text = said if wait else f"{said}; see: morphml status {shown}"
                results().print(text, markup=False, soft_wrap=True)
        if wait:
            wait_until_gone(store, asked)
        if as_json:
            write_json(drain_document(asked, shown))
        elif wait:
            results().print("gone")


def wait_until_gone(store: SqlStore, workers: Sequence[WorkerRow]) -> None:
    """Look at the workers' rows twice a second until none of them is there any more.

    Raises:
        WorkerError: when one did not leave by itself.
    """
    from morphml.master.cluster.draining import check_left, still_there  # noqa: PLC0415 as above

    ids = {worker.id for worker in workers}
    while still_there(rows := store.cluster.workers.all(), ids):
        time.sleep(LOOK_EVERY_S)
    check_left(rows, ids)


def drain_document(asked: Sequence[WorkerRow], storage: str) -> dict[str, object]:
    """Who was asked, as a JSON object; the states are those from before."""
    return {
        "storage": storage,
        "workers": [
            {"id": worker.id, "name": worker.name, "state": worker.state.value} for worker in asked
        ],
    }
