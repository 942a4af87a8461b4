"""``morphml drain``: ask workers to leave, whichever masters they are with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.cluster_options import Storage
from morphml.cli.guard import guard
from morphml.cli.listing import readable
from morphml.cli.options import AsJson
from morphml.cli.screen import results, write_json

if TYPE_CHECKING:
    from morphml.storage.cluster import WorkerRow

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


def drain(
    context: typer.Context,
    workers: Workers,
    storage: Storage,
    grace: Grace = None,
    as_json: AsJson = False,
) -> None:
    """Let workers finish what they run, take nothing more, and leave.

    Works from any machine that reaches the store, for workers of any master. The word reaches a
    worker within a second or two: what it has not begun runs elsewhere, what it runs has the grace
    to end, then it exits with status 0; until then `morphml status` shows it as draining. Either
    all that are named are asked, or, where one is unknown or gone, none.
    """
    with guard(context, as_json=as_json), readable(storage) as store:
        # The store takes a second to import, and help and completion read this module.
        from morphml.master.cluster.draining import ask_to_drain  # noqa: PLC0415
        from morphml.storage.address import without_password  # noqa: PLC0415

        asked = ask_to_drain(store, workers, grace)
        shown = without_password(storage)
        if as_json:
            write_json(drain_document(asked, shown))
            return
        for worker in asked:
            text = f"{worker.name} ({worker.id}) was asked to leave; see: morphml status {shown}"
            results().print(text, markup=False, soft_wrap=True)


def drain_document(asked: list[WorkerRow], storage: str) -> dict[str, object]:
    """Who was asked, as a JSON object; the states are those from before."""
    return {
        "storage": storage,
        "workers": [
            {"id": worker.id, "name": worker.name, "state": worker.state.value} for worker in asked
        ],
    }
