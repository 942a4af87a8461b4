"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


def results() -> Console:
    """The console of results; plain text where it is no terminal."""
    return Console(highlight=False)


def messages() -> Console:
    """The console of progress and errors, on standard error."""
    return Console(stderr=True, highlight=False)


def write_json(document: object) -> None:
    """One JSON document and a line end on standard output."""
    # Not through rich: a long line must not be wrapped, nor a value coloured.
    results().file.write(json.dumps(document, indent=2, default=str) + "\n")


#: Characters of the longest word that no narrow screen is to break: an id or a state is copied.
_WHOLE_WORD = 16


def table_of(title: str, heads: Mapping[str, bool], rows: Sequence[Sequence[object]]) -> Table:
    """A table; ``heads`` maps each column to whether it holds numbers, which stand right.

    Where the screen is too narrow, columns of several words or of long ones become narrower.
    """
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for place, (head, numeric) in enumerate(heads.items()):
        whole = all(_is_whole(row[place]) for row in texts)
        table.add_column(
            head, justify="right" if numeric else "left", overflow="fold", no_wrap=whole
        )
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _is_whole(cell: str) -> bool:
    """Whether a cell is to stand on one line."""
    return len(cell) <= _WHOLE_WORD and " " not in cell
