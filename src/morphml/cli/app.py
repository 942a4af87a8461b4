"""The command line: one file per command, joined here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import morphml
from morphml.cli.doctor import doctor
from morphml.cli.exit_codes import MEANINGS

_STATUSES = " · ".join(f"{int(code)} {meaning}" for code, meaning in MEANINGS.items())

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


def _register(command: Callable[..., None], *examples: str) -> None:
    shown = "\n\n".join(["Examples", *(f"$ morphml {example}" for example in examples)])
    app.command(command.__name__, epilog=shown)(command)


_register(doctor, "doctor", "doctor --json")


def main() -> None:
    """The ``morphml`` command."""
    app()
