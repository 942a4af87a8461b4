"""``morphml replay``: does the stored log give the same proposals again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.exit_codes import ExitCode
from morphml.cli.guard import guard
from morphml.cli.import_path import see_this_folder
from morphml.cli.opening import open_experiment
from morphml.cli.options import AsJson, Name, Store
from morphml.cli.screen import results, write_json
from morphml.errors import CallerError

if TYPE_CHECKING:
    from morphml.search.replay import ReplayReport

Check = Annotated[bool, typer.Option("--check", help="Compare; nothing is run or written.")]


def replay(
    context: typer.Context,
    storage: Store,
    name: Name = None,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Ask every proposal of a stored log again, from its own prefix, and compare."""
    with guard(context, as_json=as_json):
        if not check:
            raise CallerError("replay only compares; say so with --check")
        from morphml.master import replay as ask_again  # noqa: PLC0415 see `morphml.cli.opening`

        see_this_folder()
        with open_experiment(storage, name) as experiment:
            report = ask_again(experiment)
        if as_json:
            write_json(report_document(report))
        else:
            results().print(report_text(report), markup=False, soft_wrap=True)
        if not report.passed:
            raise typer.Exit(ExitCode.FAILED)


def report_text(report: ReplayReport) -> str:
    """What was found, in one or three lines."""
    if report.difference is None:
        return f"the same: {report.asked} proposals asked again, {report.entries} entries read"
    found = report.difference
    lines = [
        f"different at log entry {found.seq} ({found.kind.value} {found.number}), "
        f"after {report.asked} equal proposals",
        f"  stored:   {found.body.decode(errors='replace')}",
        f"  proposed: {_body(report)}",
    ]
    return "\n".join(lines)


def report_document(report: ReplayReport) -> dict[str, object]:
    """The same as a JSON object."""
    found = report.difference
    return {
        "passed": report.passed,
        "entries": report.entries,
        "asked": report.asked,
        "difference": None
        if found is None
        else {
            "seq": found.seq,
            "kind": found.kind.value,
            "number": found.number,
            "stored": found.body.decode(errors="replace"),
            "proposed": _body(report),
        },
    }


def _body(report: ReplayReport) -> str:
    proposed = report.proposed
    return "nothing" if proposed is None else proposed.body.decode(errors="replace")
