"""Options and arguments that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from morphml.cli.completion import complete_experiment, complete_store

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Store = Annotated[
    str,
    typer.Argument(
        metavar="STORE",
        help="The store: a file such as digits.db, or postgresql://USER@HOST/DATABASE.",
        autocompletion=complete_store,
    ),
]
#: For a command that brings something into a store.
KeptIn = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="STORE",
        help="The store to keep it in, a file or postgresql://USER@HOST/DATABASE; by default what "
        "the experiment file says. A search on this machine else makes FILE with .db.",
        autocompletion=complete_store,
    ),
]
Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[EXPERIMENT]",
        help="Id or name of an experiment; the newest by default.",
        autocompletion=complete_experiment,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=0, help="Trials at a time; 0 runs them in this process, for debugging."),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Where trials run: local for this machine, remote for the masters of the store, ray "
        "for the cluster of RAY_ADDRESS or one of this machine, ray:ADDRESS for that one, "
        "ray://HOST:PORT to send the search to a cluster as a job.",
    ),
]
Trials = Annotated[int | None, typer.Option(min=1, help="How many trials in all.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
