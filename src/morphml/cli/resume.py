"""``morphml resume``: go on with a search that was stopped, killed, or is to get more trials."""

from __future__ import annotations

import typer

from morphml.cli.experiment_arguments import see_this_folder
from morphml.cli.guard import guard
from morphml.cli.options import AsJson, Name, Quiet, Store, Trials, Workers
from morphml.cli.running import drive
from morphml.master import Experiment


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
        see_this_folder()
        with Experiment.open(storage, name) as experiment:
            if trials is not None:
                experiment.extend(trials)
            drive(experiment, storage=storage, workers=workers, as_json=as_json, quiet=quiet)
