"""``morphml resume``: go on with a search that was stopped, killed, or is to get more trials."""

from __future__ import annotations

import typer

from morphml.cli.guard import guard
from morphml.cli.import_path import see_this_folder
from morphml.cli.opening import open_experiment
from morphml.cli.options import AsJson, Name, Quiet, Store, Trials, Workers


def resume(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    storage: Store,
    name: Name = None,
    workers: Workers = None,
    trials: Trials = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a search that was stopped, killed, or is to get more trials."""
    again = f"morphml resume {storage}{f' {name}' if name else ''}"
    with guard(context, as_json=as_json, resume=again):
        from morphml.cli.running import drive  # noqa: PLC0415 see `morphml.cli.opening`

        see_this_folder()
        with open_experiment(storage, name) as experiment:
            if trials is not None:
                experiment.extend(trials)
            drive(experiment, storage=storage, workers=workers, as_json=as_json, quiet=quiet)
