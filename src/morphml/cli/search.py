"""``morphml search``: run the search that a file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.import_path import see_this_folder
from morphml.cli.options import AsJson, EngineName, KeptIn, Quiet, Trials, Workers
from morphml.errors import ExperimentError

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The experiment file, YAML or JSON.", dir_okay=False)
]
Seed = Annotated[int | None, typer.Option(help="Root of all randomness.")]
Reuse = Annotated[
    bool | None,
    typer.Option(
        "--reuse/--no-reuse",
        help="Share results with the other experiments of the store that do so.",
    ),
]


def search(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    file: File,
    storage: KeptIn = None,
    workers: Workers = None,
    trials: Trials = None,
    seed: Seed = None,
    reuse: Reuse = None,
    engine: EngineName = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run the search that a file describes; the options go before what the file says."""
    kept = storage or str(file.with_suffix(".db").name)
    with guard(context, as_json=as_json, resume=f"morphml resume {kept}"):
        # The master takes a second to import, and help and completion read this module.
        from morphml.cli import submitting  # noqa: PLC0415
        from morphml.cli.experiment_file import read_experiment  # noqa: PLC0415
        from morphml.cli.running import drive  # noqa: PLC0415
        from morphml.master import Experiment, described  # noqa: PLC0415

        see_this_folder()
        given = read_experiment(file)
        kept = storage or given.storage or kept
        if kept == "memory":
            raise ExperimentError("storage: memory is lost when the command ends; name a file")
        changes = {"trials": trials, "seed": seed, "reuse": reuse}
        runs_at = engine or given.engine or "local"
        if runs_at == "remote":
            with submitting.submitted(file, storage, changes, create=True) as (experiment, shown):
                submitting.follow(experiment, storage=shown, as_json=as_json, quiet=quiet)
            return
        slots = given.workers if workers is None else workers
        options = described.options_of(given, changes)
        options.setdefault("name", file.stem)
        space, evaluator = described.space_of(given), described.evaluator_of(given)
        with Experiment.create(
            space, evaluator, storage=kept, workers=slots, engine=runs_at, **options
        ) as experiment:
            drive(
                experiment,
                storage=kept,
                workers=slots,
                engine=runs_at,
                as_json=as_json,
                quiet=quiet,
            )
