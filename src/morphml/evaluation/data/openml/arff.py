"""Reads ARFF files: named columns of numbers, of given words, or of texts.

Source: Attribute-Relation File Format, Weka 3.9 manual, chapter 11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from morphml.errors import CallerError

#: A number, a word or text, or None where it is missing (``?``).
Cell: TypeAlias = "float | str | None"

_NUMBERS = {"numeric", "real", "integer"}
_TEXTS = {"string", "date"}
#: A text between quotes, in which a backslash takes the next character as it is.
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s'\"]+)\s*(.+)", re.IGNORECASE)
_FIELD = re.compile(rf"\s*({_QUOTED}|[^,'\"]*)\s*(?:,|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One column's head."""

    name: str
    #: The words that it may hold; None where it holds numbers or texts.
    words: tuple[str, ...] | None = None
    #: Whether it holds numbers.
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of a file."""

    attributes: tuple[Attribute, ...]
    #: One tuple for each row, with a cell for each attribute.
    rows: list[tuple[Cell, ...]]

    def column(self, name: str) -> list[Cell]:
        """The cells of a column.

        Raises:
            KeyError: there is none of that name.
        """
        for place, attribute in enumerate(self.attributes):
            if attribute.name == name:
                return [row[place] for row in self.rows]
        raise KeyError(name)


def parse_arff(text: str, where: str) -> Table:
    """The table that a text describes; O(length).

    Args:
        text: all of the file; dense or sparse rows.
        where: its name, for messages.

    Raises:
        CallerError: a line breaks the format; says which.
    """
    attributes: list[Attribute] = []
    rows: list[tuple[Cell, ...]] = []
    in_data = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("%"):
            continue
        try:
            if in_data:
                rows.append(_row(line, attributes))
            elif line.lower().startswith("@attribute"):
                attributes.append(_attribute(line))
            elif line.lower().startswith("@data"):
                in_data = True
            elif not line.lower().startswith("@relation"):
                raise ValueError("neither @relation, @attribute nor @data")
        except ValueError as error:
            raise CallerError(f"{where}, line {number}: {error}: {line[:80]!r}") from None
    if not in_data or not attributes:
        raise CallerError(f"{where}: is no ARFF file: it has no @attribute, or no @data")
    return Table(attributes=tuple(attributes), rows=rows)


def _attribute(line: str) -> Attribute:
    found = _ATTRIBUTE.fullmatch(line)
    if found is None:
        raise ValueError("no name and type after @attribute")
    name, kind = _plain(found[1]), found[2].strip()
    if kind.startswith("{") and kind.endswith("}"):
        return Attribute(name=name, words=tuple(_fields(kind[1:-1])))
    word = kind.split()[0].lower()
    if word not in _NUMBERS | _TEXTS:
        raise ValueError(f"a type that is not known, {kind!r}")
    return Attribute(name=name, numeric=word in _NUMBERS)


def _row(line: str, attributes: list[Attribute]) -> tuple[Cell, ...]:
    if line.startswith("{"):
        return _sparse_row(line, attributes)
    fields = list(_fields(line))
    if len(fields) != len(attributes):
        raise ValueError(f"{len(fields)} values for {len(attributes)} attributes")
    return tuple(_cell(field, each) for field, each in zip(fields, attributes, strict=True))


def _sparse_row(line: str, attributes: list[Attribute]) -> tuple[Cell, ...]:
    """Places and values between braces; what is not there is 0, or the first word."""
    row: list[Cell] = [each.words[0] if each.words else 0.0 for each in attributes]
    for entry in line.strip("{} ").split(",") if line.strip("{} ") else []:
        place, _, value = entry.strip().partition(" ")
        if not place.isdecimal() or int(place) >= len(attributes):
            raise ValueError(f"there is no attribute {place!r}")
        row[int(place)] = _cell(_plain(value.strip()), attributes[int(place)])
    return tuple(row)


def _fields(line: str) -> Iterator[str]:
    at = 0
    while at <= len(line):
        found = _FIELD.match(line, at)
        if found is None:
            raise ValueError("a quote that does not end, or a text behind one")
        yield _plain(found[1].strip())
        if found.end() == len(line) and not line.endswith(","):
            return
        at = found.end() if found.end() > at else at + 1
        if at == len(line) and line.endswith(","):
            yield ""
            return


def _plain(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _cell(field: str, attribute: Attribute) -> Cell:
    if field == "?":
        return None
    if attribute.numeric:
        return float(field)
    if attribute.words is not None and field not in attribute.words:
        raise ValueError(f"{field!r} is none of the words of {attribute.name!r}")
    return field
