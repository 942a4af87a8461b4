"""References of a job to what others put out: ``${prepare.rows}`` inside the texts of a config.

A text that is one reference and nothing else becomes the value itself, whatever its type; in a
longer text the value is written out. ``${item}`` and ``${index}`` name the part of a fan-out,
``${execution.id}`` the execution; ``$${`` is a plain ``${``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from morphml.errors import WorkflowError
from morphml.optimizers.events import JSON

#: Names before the first dot that no job may have.
RESERVED = ("execution", "index", "item")

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_INSIDE = re.compile(r"[A-Za-z0-9][\w-]*(\.[\w-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One ``${...}``."""

    #: The job, or one of ``RESERVED``.
    source: str
    #: Names and indices below it, such as ``("rows",)``; empty for all outputs, or the item itself.
    path: tuple[str, ...]

    def __str__(self) -> str:
        """As it is written."""
        return f"${{{'.'.join((self.source, *self.path))}}}"

    def within(self, value: JSON) -> JSON:
        """What the path leads to inside ``value``; None where it leads nowhere."""
        for name in self.path:
            if isinstance(value, Mapping):
                value = value.get(name)
            elif isinstance(value, Sequence) and not isinstance(value, str):
                value = value[int(name)] if name.isdigit() and int(name) < len(value) else None
            else:
                return None
        return value


def parse_reference(inside: str) -> Reference:
    """The reference that stands between ``${`` and ``}``.

    Raises:
        WorkflowError: when it has another form than names with dots between them.
    """
    if not _INSIDE.fullmatch(inside):
        raise WorkflowError(
            f"a reference is a job and the name of an output, such as ${{prepare.rows}}, "
            f"got ${{{inside}}}"
        )
    source, *path = inside.split(".")
    return Reference(source=source, path=tuple(path))


def references_in(value: JSON) -> Iterator[Reference]:
    """All references in the texts of ``value``, at any depth; keys are not looked at.

    Raises:
        WorkflowError: when one has no such form.
    """
    if isinstance(value, str):
        for found in _TOKEN.finditer(value):
            if found[1] is not None:
                yield parse_reference(found[1])
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from references_in(each)


def filled(value: JSON, look_up: Callable[[Reference], JSON]) -> JSON:
    """A copy of ``value`` with every reference replaced by what ``look_up`` gives for it."""
    if isinstance(value, str):
        return _filled_text(value, look_up)
    if isinstance(value, Mapping):
        return {name: filled(each, look_up) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [filled(each, look_up) for each in value]
    return value


def _filled_text(text: str, look_up: Callable[[Reference], JSON]) -> JSON:
    whole = _TOKEN.fullmatch(text)
    if whole and whole[1] is not None:
        return look_up(parse_reference(whole[1]))

    def written(found: re.Match[str]) -> str:
        if found[1] is None:
            return "${"
        value = look_up(parse_reference(found[1]))
        return value if isinstance(value, str) else json.dumps(value)

    return _TOKEN.sub(written, text)
