"""The command line: one file per command, joined here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import morphml
from morphml.cli.compare import compare
from morphml.cli.doctor import doctor
from morphml.cli.exit_codes import MEANINGS
from morphml.cli.export import export
from morphml.cli.listing import list_
from morphml.cli.replay import replay
from morphml.cli.resume import resume
from morphml.cli.search import search
from morphml.cli.show import show

_STATUSES = " · ".join(f"{int(code)} {meaning}" for code, meaning in MEANINGS.items())

#: Command to its examples, in the order of the help.
COMMANDS: dict[Callable[..., None], tuple[str, ...]] = {
    search: ("search experiment.yaml", "search experiment.yaml --workers 4 --trials 200"),
    resume: ("resume experiment.db", "resume experiment.db digits --trials 400"),
    replay: ("replay experiment.db --check",),
    list_: ("list experiment.db", "list experiment.db --json"),
    show: ("show experiment.db", "show experiment.db digits --trial 17"),
    export: (
        "export experiment.db --to model.py",
        "export experiment.db digits --trial 17 --to model.onnx",
        "export experiment.db --to report.html",
    ),
    compare: ("compare a.db b.db", "compare a.db#random a.db#evolution --plot race.png"),
    doctor: ("doctor", "doctor --json"),
}

app = typer.Typer(
    name="morphml",
    help="Search for neural network architectures.",
    epilog=f"Exit status: {_STATUSES}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"morphml {morphml.__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Search for neural network architectures."""


for _command, _examples in COMMANDS.items():
    _shown = "\n\n".join(["Examples", *(f"$ morphml {example}" for example in _examples)])
    app.command(_command.__name__.rstrip("_"), epilog=_shown)(_command)
