"""The command line: one file per command, joined here, each read when it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
import typer.core
import typer.main

import morphml
from morphml.cli.commands import COMMANDS, Entry
from morphml.cli.docstrings import flowing
from morphml.cli.exit_codes import MEANINGS

_STATUSES = " · ".join(f"{int(code)} {meaning}" for code, meaning in MEANINGS.items())
_BY_NAME = {entry.name: entry for entry in COMMANDS}


class LazyGroup(typer.core.TyperGroup):
    """Knows the name and the line of help of each command; imports the one that is called."""

    # The types are of click, or of the copy of click that newer versions of typer hold.
    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]
        """The real command in the place of its entry; also where the shell completes."""
        name, command, rest = super().resolve_command(ctx, args)
        entry = _BY_NAME.get(name or "")
        return name, command if entry is None else command_of(entry), rest


# As above.
def command_of(entry: Entry):  # type: ignore[no-untyped-def]
    """The command of an entry, as typer calls it; its module is imported now."""
    loaded = entry.load()
    if isinstance(loaded, typer.Typer):
        several = typer.main.get_command(loaded)
        several.epilog = entry.epilog
        return several
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(entry.name, help=flowing(loaded), epilog=entry.epilog)(loaded)
    return typer.main.get_command(alone)


app = typer.Typer(
    name="morphml",
    cls=LazyGroup,
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


def _placeholder() -> Callable[[], None]:
    def stand_in() -> None:
        """Never called: `LazyGroup` puts the command in its place."""

    return stand_in


for _entry in COMMANDS:
    app.command(_entry.name, help=_entry.help, rich_help_panel=_entry.panel)(_placeholder())
