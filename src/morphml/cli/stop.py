"""``morphml stop``: ask whoever drives an experiment to leave off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from morphml.cli.guard import guard
from morphml.cli.listing import readable
from morphml.cli.options import AsJson, Name, Store
from morphml.cli.screen import results, write_json

if TYPE_CHECKING:
    from morphml.search.changes import ExperimentRecord


def stop(
    context: typer.Context, storage: Store, name: Name = None, as_json: AsJson = False
) -> None:
    """Ask whoever drives an experiment to stop; what was finished stays.

    Works from any machine that reaches the store, and for searches of this machine too. A driver
    leaves off within a second or two; where nobody drives the experiment it is paused at once.
    Afterwards `morphml resume` goes on where it was, with --masters on the masters of the store.
    """
    with guard(context, as_json=as_json), readable(storage) as store:
        # The store takes a second to import, and help and completion read this module.
        from morphml.master.experiment import find_experiment  # noqa: PLC0415
        from morphml.search.experiment import ExperimentState  # noqa: PLC0415
        from morphml.storage.address import without_password  # noqa: PLC0415

        found = find_experiment(store, name)
        if found.state is not ExperimentState.PAUSED:
            store.set_state(found.id, ExperimentState.PAUSED, "stopped on request")
        record = store.experiment(found.id)
        # A search of one machine has a session too, and no address.
        masters = any(master.address for master in store.cluster.masters())
        shown = without_password(storage)
        if as_json:
            write_json(stop_document(record, shown))
            return
        paused = record.state is ExperimentState.PAUSED
        was = found.state is ExperimentState.PAUSED
        done = "was paused already" if was else "is paused" if paused else "was asked to stop"
        again = f"morphml resume {shown} {record.id}{' --masters' if masters else ''}"
        text = f"{record.name} ({record.id}) {done}; go on later with: {again}"
        results().print(text, markup=False, soft_wrap=True)


def stop_document(record: ExperimentRecord, storage: str) -> dict[str, object]:
    """What became of it, as a JSON object; ``running`` until its driver has left off."""
    return {
        "storage": storage,
        "experiment": record.id,
        "name": record.name,
        "state": record.state.value,
        "reason": record.reason,
    }
