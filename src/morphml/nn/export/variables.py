"""Names for the tensors of a forward pass: few, and the same along a chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from morphml.nn.export.entries import Entry
from morphml.nn.export.parameters import unused
from morphml.nn.export.program import Scope
from morphml.nn.expression import Function, Infix, Lowered, Module


def statements(scope: Scope, steps: Sequence[Entry], arguments: Sequence[str]) -> Iterator[str]:
    """The assignments of a ``forward``, in order.

    A tensor takes over the name of the first tensor that is not needed any more; where what it
    comes from is still needed, it is a ``branch``.

    Args:
        scope: for what is needed later.
        steps: its statements.
        arguments: names of the inputs.
    """
    names = dict(zip(scope.inputs, arguments, strict=True))
    last = _last_uses(scope, steps)
    for index, step in enumerate(steps):
        free = [number for number in step.takes if last[number] == index]
        free_names = [names[number] for number in dict.fromkeys(free)]
        living = {name for number, name in names.items() if last.get(number, -1) > index}
        target = free_names[0] if free_names else unused("branch", living | set(arguments))
        yield f"{target} = {_expression(step, [names[number] for number in step.takes])}"
        names[step.makes] = target


def returned(scope: Scope, steps: Sequence[Entry], arguments: Sequence[str]) -> Mapping[int, str]:
    """The names of all tensors at the end; of use for those that are returned."""
    names = dict(zip(scope.inputs, arguments, strict=True))
    for step, statement in zip(steps, statements(scope, steps, arguments), strict=True):
        names[step.makes] = statement.partition(" = ")[0]
    return names


def _last_uses(scope: Scope, steps: Sequence[Entry]) -> dict[int, int]:
    """The index of the last statement that takes each tensor; past the end where returned."""
    last: dict[int, int] = dict.fromkeys(scope.inputs, -1)
    for index, step in enumerate(steps):
        last[step.makes] = index
        for number in step.takes:
            last[number] = index
    return last | dict.fromkeys(scope.outputs, len(steps))


def _expression(step: Entry, taken: list[str]) -> str:
    lowered: Lowered = step.lowered
    match lowered:
        case Module():
            return f"self.{step.attribute}({', '.join(taken)})"
        case Function(call):
            return call.text(tuple(taken))
        case Infix(symbol):
            return f" {symbol} ".join(taken)
