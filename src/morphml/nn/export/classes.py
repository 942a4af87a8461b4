"""Classes of an exported file: the network, its blocks, and the layers they use."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from morphml.graph import Shape
from morphml.nn.export.entries import Entry, entries
from morphml.nn.export.layout import docstring, laid_out
from morphml.nn.export.parameters import unused
from morphml.nn.export.program import BlockClass, Scope
from morphml.nn.export.variables import returned, statements
from morphml.nn.expression import Module
from morphml.nn.names import LAYERS
from morphml.nn.plan import InputSlot, identifier

#: Notes to our own linter, which mean nothing in an exported file.
_NOQA = re.compile(r"  # noqa.*$", re.MULTILINE)


def block_source(block: BlockClass, blocks: Collection[str]) -> Iterator[str]:
    """The lines of a block's class."""
    steps = entries(block.scope, blocks)
    arguments = ["x"] if len(block.scope.inputs) == 1 else _numbered(len(block.scope.inputs))
    yield f"class {block.name}(nn.Module):"
    yield from docstring(f"Used {len(block.places)} times: {_some(block.places)}.", indent=4)
    yield ""
    signature = "".join(f", {name}: {kind}" for name, kind in block.parameters)
    yield f"    def __init__(self{signature}) -> None:"
    yield from _constructor(steps)
    yield ""
    names = returned(block.scope, steps, arguments)
    yield f"    def forward({_signature(arguments)}) -> torch.Tensor:"
    yield from (f"        {line}" for line in statements(block.scope, steps, arguments))
    yield f"        return {names[block.scope.outputs[0]]}"


def model_source(
    scope: Scope,
    slots: Sequence[InputSlot],
    outputs: Sequence[tuple[str, int]],
    blocks: Collection[str],
) -> Iterator[str]:
    """The lines of the class ``Model``."""
    steps = entries(scope, blocks)
    arguments = argument_names(slots)
    yield "class Model(nn.Module):"
    yield from docstring(_summary(scope, slots, arguments), indent=4)
    yield ""
    yield "    def __init__(self) -> None:"
    yield from _constructor(steps)
    yield ""
    several = len(outputs) > 1
    kind = "dict[str, torch.Tensor]" if several else "torch.Tensor"
    yield f"    def forward({_signature(arguments)}) -> {kind}:"
    yield from (f"        {line}" for line in statements(scope, steps, arguments))
    names = returned(scope, steps, arguments)
    pairs = ", ".join(f"{json.dumps(name)}: {names[number]}" for name, number in outputs)
    yield f"        return {f'{{{pairs}}}' if several else names[outputs[0][1]]}"


def layer_sources(used: Iterable[str]) -> Iterator[str]:
    """The source of each of our layer classes in ``used`` and of those that they use."""
    wanted: dict[str, str] = {}
    todo = [name for name in used if name in LAYERS]
    while todo:
        name = todo.pop()
        wanted[name] = _NOQA.sub("", inspect.getsource(LAYERS[name]).strip())
        names = {n.id for n in ast.walk(ast.parse(wanted[name])) if isinstance(n, ast.Name)}
        todo += [other for other in names if other in LAYERS and other not in wanted]
    return (wanted[name] for name in sorted(wanted))


def argument_names(slots: Sequence[InputSlot]) -> list[str]:
    """Variable names for the inputs: ``x`` for a single one, else their own names."""
    if len(slots) == 1:
        return ["x"]
    names: dict[str, str] = {}
    for slot in slots:
        name = unused(identifier(slot.name), {*names, "self", "torch", "nn", "F"})
        names[name] = name
    return list(names)


def _constructor(steps: Sequence[Entry]) -> Iterator[str]:
    yield "        super().__init__()"
    for step in steps:
        if isinstance(step.lowered, Module) and step.first:
            start = f"self.{step.attribute} = "
            yield from laid_out(start, step.lowered.make, 8, _shapes(step))


def _shapes(step: Entry) -> str:
    first, last = step.lines[0].shapes, step.lines[-1].shapes
    if first is None or last is None:
        return ""
    arriving, leaving = first[0], last[1]
    if set(arriving) == {leaving}:
        return _shape(leaving)
    return f"{' and '.join(_shape(shape) for shape in arriving)} -> {_shape(leaving)}"


def _shape(shape: Shape) -> str:
    return str(tuple(shape))


def _signature(arguments: Sequence[str]) -> str:
    return ", ".join(["self", *(f"{name}: torch.Tensor" for name in arguments)])


def _numbered(count: int) -> list[str]:
    return [f"x{number + 1}" for number in range(count)]


def _some(places: Sequence[str]) -> str:
    shown = ", ".join(places[:4])
    return f"{shown} and {len(places) - 4} more" if len(places) > 4 else shown


def _summary(scope: Scope, slots: Sequence[InputSlot], arguments: Sequence[str]) -> str:
    shapes = {line.makes: line.shapes[1] for line in scope.lines if line.shapes is not None}
    known = [shapes[number] for number in scope.outputs if number in shapes]
    returns = f"; returns {' and '.join(f'(batch, {_inner(shape)})' for shape in known)}"
    takes = ", ".join(
        f"{name} (batch, {_inner(slot.shape)}) {slot.dtype}"
        for name, slot in zip(arguments, slots, strict=True)
    )
    return f"Takes {takes}{returns}."


def _inner(shape: Shape) -> str:
    return ", ".join(map(str, shape))
