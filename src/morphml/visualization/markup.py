"""HTML from values: every text that is not ours is escaped here, and only here."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NewType, TypeGuard

#: Text that is HTML already.
Markup = NewType("Markup", str)


@dataclass(frozen=True, slots=True)
class Clipped:
    """A long text for a cell that shows its beginning; all of it is seen by pointing at it."""

    content: str


def text(value: object) -> Markup:
    """``value`` as it is read, with no character left that HTML would act on."""
    return Markup(escape(str(value), quote=True))


def join(parts: Iterable[Markup], between: str = "\n") -> Markup:
    """The parts one after another."""
    return Markup(between.join(parts))


def element(name: str, content: Markup, kind: str = "") -> Markup:
    """``content`` within one element of class ``kind``; both words are ours."""
    mark = f' class="{kind}"' if kind else ""
    return Markup(f"<{name}{mark}>{content}</{name}>")


def section(title: str, content: Markup) -> Markup:
    """A titled card."""
    return element("section", join([element("h2", text(title)), content]))


def picture(svg: str, caption: str) -> Markup:
    """A drawing of ours with a caption."""
    return element("figure", join([Markup(svg), element("figcaption", text(caption))]))


def image(svg: str, caption: str) -> Markup:
    """A drawing as an image: nothing in it acts on the page."""
    data = b64encode(svg.encode()).decode()
    drawn = Markup(f'<img src="data:image/svg+xml;base64,{data}" alt="{text(caption)}">')
    return element("figure", join([drawn, element("figcaption", text(caption))]))


def table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], *, mark_first: bool = False
) -> Markup:
    """A table; numbers stand right, columns of numbers too.

    Args:
        heads: one per column.
        rows: cells; floats are shown with four digits that count.
        mark_first: whether the first row is set apart as the best.
    """
    right = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(heads))]
    top = [_cell("th", head, right[i]) for i, head in enumerate(heads)]
    lines = [element("tr", join(top, ""))]
    for place, row in enumerate(rows):
        cells = [_cell("td", cell, right[i]) for i, cell in enumerate(row)]
        lines.append(element("tr", join(cells, ""), "best" if mark_first and place == 0 else ""))
    return element("div", element("table", join(lines)), "scroll")


def number(value: float) -> str:
    """A number for people: whole ones with thousands apart, others with four digits that count."""
    if not float(value).is_integer():
        return f"{value:.4g}"
    return f"{int(value):,}".replace(",", "\N{THIN SPACE}")


def duration(seconds: float) -> str:
    """A span of time for people, such as ``1 h 02 min`` or ``12.3 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _cell(name: str, value: object, right: bool) -> Markup:
    if isinstance(value, Clipped):
        whole = text(value.content)
        return Markup(f'<{name}><div class="clipped" title="{whole}">{whole}</div></{name}>')
    shown = number(value) if _is_number(value) else str(value)
    return element(name, text(shown), "number" if right else "")


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether ``value`` is a number to people, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
