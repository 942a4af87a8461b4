"""``morphml submit``: leave the search that a file describes to the masters of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.import_path import see_folder, see_this_folder
from morphml.cli.options import AsJson, KeptIn, Quiet, Trials

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The experiment file, YAML or JSON.", dir_okay=False)
]
Priority = Annotated[
    int | None,
    typer.Option(
        min=1, max=10, help="Among the experiments of the store; higher goes first. Default 5."
    ),
]
Seed = Annotated[int | None, typer.Option(help="Root of all randomness.")]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse it when no worker that is there now can run its trials, instead of waiting "
        "for one.",
    ),
]
Follow = Annotated[
    bool, typer.Option("--watch", help="Show its progress until it is over, then what was found.")
]


def submit(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    file: File,
    storage: KeptIn = None,
    priority: Priority = None,
    trials: Trials = None,
    seed: Seed = None,
    strict: Strict = False,
    watch: Follow = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Leave the search that a file describes to the masters of a store.

    The evaluator is looked for here, beside the file and among installed packages. It is checked
    and, where it is not installed, its folder is sent along as a bundle of source (without hidden
    and git-ignored files). Watching ends with Ctrl-C; the search goes on.
    """
    with guard(context, as_json=as_json):
        # The store takes a second to import, and help and completion read this module.
        from morphml.cli import submitting  # noqa: PLC0415

        see_this_folder()
        see_folder(file.parent)
        changes = {"priority": priority, "trials": trials, "seed": seed}
        with submitting.submitted(file, storage, changes, strict=strict) as (experiment, kept):
            if watch:
                submitting.follow(experiment, storage=kept, as_json=as_json, quiet=quiet)
                return
            submitting.tell(experiment, storage=kept, as_json=as_json)
