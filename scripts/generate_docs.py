"""Generate the parts of docs/ that come from the code; ``--check`` only compares.

Generated: states.md from the transition tables, the JSON schemas of the files that people write,
cli.md from the command line itself, the tables of settings from their classes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from settings_tables import settings_page

from morphml.cli.app import command_of
from morphml.cli.commands import COMMANDS
from morphml.cli.exit_codes import MEANINGS
from morphml.scheduling.diagrams import MACHINES, states_page
from morphml.search.diagrams import MACHINES as search_machines
from morphml.search.experiment_file import experiment_schema
from morphml.workflow.diagrams import MACHINES as workflow_machines
from morphml.workflow.schema import workflow_schema

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

CLI_HEAD = """\
# The command line

Made by `make docs` from the commands themselves. Results go to standard output, progress and errors
to standard error. `--json` prints one JSON document for programs. `morphml --install-completion`
teaches the shell to complete commands, stores and experiments. An error is one screen; `--debug`
before the command shows its traceback.

| exit status | meaning |
|---|---|
"""


def pages() -> dict[Path, str]:
    """Content by path of every generated file."""
    return {
        DOCS / "states.md": states_page((*MACHINES, *search_machines, *workflow_machines)),
        DOCS / "schema" / "experiment.schema.json": experiment_schema(),
        DOCS / "schema" / "workflow.schema.json": workflow_schema(),
        DOCS / "cli.md": cli_page(),
        DOCS / "distributed" / "settings.md": settings_page(),
    }


def cli_page() -> str:
    """The reference of all commands."""
    rows = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    sections = []
    for entry in COMMANDS:
        command = command_of(entry)
        shown = "\n".join(f"morphml {example}" for example in entry.examples)
        sections.append(
            f"## morphml {entry.name}\n\n{command.help}\n\n```bash\n{shown}\n```\n\n"
            + _arguments(command)
            + "".join(
                f"\n### morphml {entry.name} {name}\n\n{part.help}\n\n{_arguments(part)}"
                for name, part in getattr(command, "commands", {}).items()
            )
        )
    return CLI_HEAD + rows + "\n" + "\n".join(sections)


def _arguments(command: object) -> str:
    options = "".join(_option(parameter) for parameter in getattr(command, "params", ()))
    return f"| argument | meaning |\n|---|---|\n{options}" if options else ""


def _option(parameter: object) -> str:
    name = getattr(parameter, "metavar", None) or ", ".join(getattr(parameter, "opts", []))
    if getattr(parameter, "param_type_name", "") == "option":
        name = ", ".join([*parameter.opts])  # type: ignore[attr-defined]  # options have them
    meaning = getattr(parameter, "help", "") or ""
    return f"| `{name}` | {meaning}{_default(parameter)} |\n"


def _default(parameter: object) -> str:
    """What holds where nothing is said; nothing for flags and for what the text itself says."""
    if getattr(parameter, "param_type_name", "") != "option":
        return ""
    if getattr(parameter, "required", False):
        return " Must be given."
    value = getattr(parameter, "default", None)
    shown = isinstance(value, int | float | str) and not isinstance(value, bool) and value != ""
    return f" Default {value}." if shown else ""


def main() -> int:
    """Write all pages, or with ``--check`` tell which differ; 0 when all is in step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    check: bool = parser.parse_args().check
    made = pages()
    stale = [p for p, text in made.items() if not p.is_file() or p.read_text("utf-8") != text]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
    if check and stale:
        print("Run `make docs` and commit what it writes.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
