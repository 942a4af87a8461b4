"""``morphml resume``: go on with a search that was stopped, killed, or is to get more trials."""

from __future__ import annotations

from typing import Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.import_path import see_this_folder
from morphml.cli.opening import open_experiment
from morphml.cli.options import AsJson, EngineName, Name, Quiet, Store, Trials, Workers
from morphml.errors import CallerError

Masters = Annotated[
    bool,
    typer.Option(
        "--masters", help="Leave it to the masters of the store, as `morphml submit` did."
    ),
]


MaxEpochs = Annotated[
    int | None,
    typer.Option(
        "--max-epochs",
        min=1,
        metavar="N",
        help="Go on as a new experiment with fewer epochs a trial; the best so far come first.",
    ),
]


def resume(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    storage: Store,
    name: Name = None,
    workers: Workers = None,
    trials: Trials = None,
    max_epochs: MaxEpochs = None,
    engine: EngineName = None,
    masters: Masters = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a search that was stopped, killed, or is to get more trials.

    It runs on this machine, or where --engine says; with --masters it goes back to the masters of
    its store, after `morphml stop` or where an error paused it. With --max-epochs it goes on as a
    new experiment whose trials take fewer epochs, for when there are fewer workers than there were:
    the best architectures so far are tried again first, since results of different epochs cannot be
    compared.
    """
    again = f"morphml resume {storage}{f' {name}' if name else ''}"
    with guard(context, as_json=as_json, resume=again):
        for name_given, given in (("--workers", workers), ("--engine", engine)):
            if masters and given is not None:
                raise CallerError(f"--masters and {name_given}: give one of them")
        see_this_folder()
        with open_experiment(storage, name) as experiment:
            if max_epochs is not None:
                from morphml.master.lighter import lighter  # noqa: PLC0415 as below

                experiment = lighter(experiment, max_epochs, trials=trials)
            elif trials is not None:
                experiment.extend(trials)
            if masters:
                from morphml.cli.submitting import submit_again  # noqa: PLC0415 as below

                submit_again(experiment, storage=storage, as_json=as_json)
                return
            from morphml.cli.running import drive  # noqa: PLC0415 see `morphml.cli.opening`

            drive(
                experiment,
                storage=storage,
                workers=workers,
                engine=engine or "local",
                as_json=as_json,
                quiet=quiet,
            )
