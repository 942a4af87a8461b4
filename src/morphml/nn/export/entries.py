"""Lines of a forward pass with their attributes: what stands in ``__init__``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from torch import nn

from morphml.nn.export.parameters import unused
from morphml.nn.export.program import Line, Scope, is_chain
from morphml.nn.expression import Construct, Lowered, Module, Repeated
from morphml.nn.plan import identifier

#: Names that an attribute or a variable may not take.
RESERVED = frozenset(
    {*dir(nn.Module()), "self", "torch", "nn", "F", "Path", "load", "Model", "WEIGHTS"}
)

#: Parts of a path that say how the space is built, not what is in the network.
_STRUCTURE = re.compile(r"(choice|optional|sequence)(_\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One statement of ``forward``: a line, or a chain of blocks as one ``nn.Sequential``."""

    lines: tuple[Line, ...]
    lowered: Lowered
    #: Name of the module called; empty for a function.
    attribute: str
    #: False where an entry before it makes the same module.
    first: bool = True

    @property
    def makes(self) -> int:
        """Number of the tensor that is made."""
        return self.lines[-1].makes

    @property
    def takes(self) -> tuple[int, ...]:
        """Numbers of the tensors that are taken."""
        return self.lines[0].takes

    def dotted(self, line: Line) -> str:
        """The name of a line's module below the scope, such as ``stem`` or ``cells.2``."""
        if len(self.lines) == 1:
            return self.attribute
        return f"{self.attribute}.{self.lines.index(line)}"


def entries(scope: Scope, blocks: Collection[str]) -> tuple[Entry, ...]:
    """The statements of a scope, in order.

    Args:
        scope: the lines.
        blocks: names of block classes; chains of their uses become ``nn.Sequential``.
    """
    taken = set(RESERVED)
    names: dict[tuple[str, ...], str] = {}
    result = []
    for lines in _chains(scope, blocks):
        key = tuple(module for line in lines for module, _ in line.modules)
        first = key not in names
        attribute = ""
        if lines[0].has_module:
            if first or not key:
                names[key] = unused(_name(lines), taken)
                taken.add(names[key])
            attribute = names[key]
        result.append(
            Entry(lines=lines, lowered=_lowered(lines), attribute=attribute, first=first or not key)
        )
    return tuple(result)


def _chains(scope: Scope, blocks: Collection[str]) -> Iterator[tuple[Line, ...]]:
    uses = scope.uses()
    shared = _shared(scope)
    chain: list[Line] = []
    for line in scope.lines:
        joins = _is_block(line, blocks) and not shared.intersection(line.modules)
        if chain and not (joins and is_chain([chain[-1], line], uses)):
            yield tuple(chain)
            chain = []
        if joins:
            chain.append(line)
        else:
            yield (line,)
    if chain:
        yield tuple(chain)


def _shared(scope: Scope) -> set[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    twice: set[tuple[str, str]] = set()
    for line in scope.lines:
        twice |= seen.intersection(line.modules)
        seen.update(line.modules)
    return twice


def _is_block(line: Line, blocks: Collection[str]) -> bool:
    return isinstance(line.lowered, Module) and line.lowered.make.callee in blocks


def _lowered(lines: Sequence[Line]) -> Lowered:
    if len(lines) == 1:
        return lines[0].lowered
    calls = [line.lowered.make for line in lines if isinstance(line.lowered, Module)]
    arguments: list[object] = []
    while calls:
        same = next((i for i, call in enumerate(calls) if call != calls[0]), len(calls))
        if same >= 3:
            arguments.append(Repeated(calls[0], same))
        else:
            arguments += calls[:same]
        calls = calls[same:]
    return Module(Construct("nn.Sequential", tuple(arguments)))


def _name(lines: Sequence[Line]) -> str:
    path = lines[0].path
    if len(lines) > 1:
        path = _common([line.path for line in lines]) or "blocks"
    kept = [part for part in path.split("/") if not _STRUCTURE.fullmatch(part)]
    name = identifier("_".join(kept) or snake(lines[0].op)).lower()
    return snake(lines[0].op) if name[0].isdigit() else name


def _common(paths: Sequence[str]) -> str:
    """The path above all ``paths``."""
    columns = zip(*(path.split("/") for path in paths), strict=False)
    return "/".join(column[0] for column in takewhile(lambda c: len(set(c)) == 1, columns))


def snake(name: str) -> str:
    """``ConvRelu`` and ``conv2d`` as ``conv_relu`` and ``conv2d``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(":")[2])
    return identifier(spaced).lower()
