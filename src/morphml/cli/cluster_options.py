"""Options that the commands for many machines share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.completion import complete_store

Storage = Annotated[
    str,
    typer.Option(
        metavar="STORE",
        help="The store that all masters share: postgresql://USER@HOST/DATABASE (the password "
        "from PGPASSWORD or ~/.pgpass, not for all to see), or a SQLite file for one master.",
        autocompletion=complete_store,
    ),
]
TokenPath = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="Secrets by scope, mode 0600; by default MORPHML_TOKEN_FILE, else "
        "~/.config/morphml/tokens.json.",
    ),
]
JsonLogs = Annotated[bool, typer.Option("--json-logs", help="Log one JSON object per line.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log details too.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show it again every second until Ctrl-C.")]
