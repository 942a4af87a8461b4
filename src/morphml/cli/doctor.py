"""``morphml doctor``: is this machine ready for a search."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from morphml.cli.exit_codes import ExitCode
from morphml.cli.guard import guard
from morphml.cli.health import Check, Verdict, examine
from morphml.cli.options import AsJson
from morphml.cli.screen import results, write_json

_MARKS = {
    Verdict.OK: Text("ok", style="green"),
    Verdict.NOTE: Text("note", style="yellow"),
    Verdict.FAULT: Text("FAULT", style="bold red"),
}


def doctor(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where a store would be kept.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Check Python, torch, GPU, disk and optional parts."""
    with guard(context, as_json=as_json):
        checks = examine(folder)
        if as_json:
            write_json([asdict(check) for check in checks])
        else:
            results().print(checks_table(checks))
        if any(check.verdict is Verdict.FAULT for check in checks):
            raise typer.Exit(ExitCode.FAILED)


def checks_table(checks: list[Check]) -> Table:
    """One line per check, with the remedy below what was found."""
    table = Table.grid(padding=(0, 2))
    for check in checks:
        found = Text(check.found)
        if check.remedy:
            found.append(f"\n-> {check.remedy}", style="dim")
        table.add_row(_MARKS[check.verdict], Text(check.subject), found)
    return table
