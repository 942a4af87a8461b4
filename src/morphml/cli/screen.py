"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

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
#: Characters of a column without such a word, and between two columns.
_NARROW, _GAP = 8, 2


def table_of(title: str, heads: Mapping[str, bool], rows: Sequence[Sequence[object]]) -> Table:
    """A table; ``heads`` maps each column to whether it holds numbers, which stand right.

    Where the screen is too narrow, columns of several words or of long ones become narrower, and
    the words of a head stand below each other.
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
    whole = _whole_columns(tuple(heads), texts)
    widths = [max(map(len, column)) + _GAP for column in zip(heads, *texts, strict=True)]
    narrow = sum(widths) > results().width
    for place, (head, numeric) in enumerate(heads.items()):
        table.add_column(
            head.replace(" ", "\n") if narrow and head in whole else head,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=head in whole,
            min_width=_longest_word((head, *(row[place] for row in texts))) if whole else None,
        )
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _whole_columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> set[str]:
    """Columns whose cells stand on one line; none where even those do not fit on the screen."""
    whole: set[str] = set()
    needed = 0
    for place, head in enumerate(heads):
        cells = [row[place] for row in rows]
        if all(len(cell) <= _WHOLE_WORD and " " not in cell for cell in cells):
            whole.add(head)
        needed += _GAP + _longest_word((head, *cells))
    return whole if needed <= results().width else set()


def _longest_word(texts: Iterable[str]) -> int:
    """Characters of the longest word that is not broken; no column becomes narrower than that."""
    words = (len(word) for text in texts for word in text.split())
    return max((size for size in words if size <= _WHOLE_WORD), default=_NARROW)
