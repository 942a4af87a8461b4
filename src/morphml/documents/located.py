"""YAML as data with the place of every key and value, so that errors can point at them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from morphml.errors import DocumentError

#: Largest file, in bytes of UTF-8.
MAX_BYTES = 1_000_000
#: Most keys and values in a file.
MAX_NODES = 20_000
#: Deepest nesting of lists and mappings.
MAX_DEPTH = 30

#: Keys and indices from the top of the document.
Path: TypeAlias = tuple[str | int, ...]

_STRING = "tag:yaml.org,2002:str"
_FLOAT = "tag:yaml.org,2002:float"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
#: YAML 1.1 reads 1e-3 as a text, which nobody means.
_EXPONENT = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    line: int
    column: int
    #: ``|``, ``>``, a quote, or the empty string: how a text is written there.
    style: str = ""


#: Where a file begins.
START = Place(line=1, column=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML file as plain data, with places."""

    #: What the file says: mappings, lists and scalars.
    data: object
    #: Where each value begins.
    values: Mapping[Path, Place]
    #: Where each key of a mapping begins, by the path of its value.
    keys: Mapping[Path, Place]
    #: The file's name, for messages.
    source: str

    def refuse(self, message: str, place: Place) -> DocumentError:
        """The error that says ``message`` about ``place``; the caller raises it."""
        return _error(message, self.source, place)


def read_document(text: str, source: str) -> Document:
    """The data of a YAML (or JSON) text.

    Args:
        text: the file's content.
        source: the file's name, for messages.

    Raises:
        DocumentError: with line and column; for broken YAML, a key that stands twice, an
            alias, more than one document, and texts over the limits of this module.
    """
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _error(f"the file is larger than {MAX_BYTES:,} bytes", source, START)
    try:
        _check_limits(text, source)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            raise _error("the file is empty", source, START)
        values: dict[Path, Place] = {}
        keys: dict[Path, Place] = {}
        for path, key, node in _walk((), None, root, source):
            values[path] = _place(node)
            if key is not None:
                keys[path] = _place(key)
        data: object = yaml.constructor.SafeConstructor().construct_document(root)
    except yaml.YAMLError as error:
        raise _broken(error, source) from error
    return Document(data=data, values=values, keys=keys, source=source)


def _check_limits(text: str, source: str) -> None:
    """Refuse by events, which come from a flat scan, before anything recurses over the tree."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        mark = event.start_mark
        place = Place(line=mark.line + 1, column=mark.column + 1) if mark else START
        if depth > MAX_DEPTH:
            raise _error(f"lists and mappings nest deeper than {MAX_DEPTH} levels", source, place)
        if count > MAX_NODES:
            raise _error(f"the file has more than {MAX_NODES:,} keys and values", source, place)
        if isinstance(event, yaml.AliasEvent):
            raise _error("aliases are not read; write the value out", source, place)


def _walk(
    path: Path, key: yaml.Node | None, node: yaml.Node, source: str
) -> Iterator[tuple[Path, yaml.Node | None, yaml.Node]]:
    yield path, key, node
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk((*path, index), None, item, source)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for item_key, item in node.value:
            if not isinstance(item_key, yaml.ScalarNode):
                raise _error("a key must be a plain word", source, _place(item_key))
            # `on:` and `5:` are keys as people wrote them, not True and the number 5.
            item_key.tag = _STRING
            if item_key.value in seen:
                raise _error(f"the key {item_key.value!r} stands twice", source, _place(item_key))
            seen.add(item_key.value)
            yield from _walk((*path, item_key.value), item_key, item, source)
    elif isinstance(node, yaml.ScalarNode):
        _mend(node)


def _mend(node: yaml.ScalarNode) -> None:
    if node.tag == _TIMESTAMP:
        node.tag = _STRING
    elif node.tag == _STRING and not node.style and _EXPONENT.fullmatch(node.value):
        node.tag = _FLOAT


def _place(node: yaml.Node) -> Place:
    mark = node.start_mark
    style = node.style if isinstance(node, yaml.ScalarNode) and node.style else ""
    return Place(line=mark.line + 1, column=mark.column + 1, style=style)


def _error(message: str, source: str, place: Place) -> DocumentError:
    return DocumentError(
        f"{source}, line {place.line}, column {place.column}: {message}",
        source=source,
        line=place.line,
        column=place.column,
    )


def _broken(error: yaml.YAMLError, source: str) -> DocumentError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(line=mark.line + 1, column=mark.column + 1) if mark else START
    context = getattr(error, "context", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    message = f"{problem} ({context})" if context else str(problem)
    return _error(message, source, place)
