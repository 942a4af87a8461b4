"""Several calls of one form as one call with parameters."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from morphml.nn.expression import Construct, Name

#: Short names for sizes that are said in several ways.
_FAMILIES: Mapping[str, str] = {
    "in_channels": "channels",
    "out_channels": "filters",
    "num_channels": "channels",
    "num_features": "channels",
    "in_features": "features",
    "out_features": "units",
    "normalized_shape": "width",
}

#: The parameter names of a callee, in order.
Signature = Callable[[str], Sequence[str]]


def form(call: object) -> object:
    """What two calls must have in common to differ in parameters only."""
    if isinstance(call, Construct):
        return (
            call.callee,
            tuple(form(argument) for argument in call.args),
            tuple((name, form(argument)) for name, argument in call.kwargs),
        )
    return "value" if call is None or isinstance(call, bool | int | float | str | tuple) else call


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalized:
    """Calls of one form with names where they differ."""

    calls: tuple[Construct, ...]
    #: Name and annotation, in the order of first use.
    parameters: tuple[tuple[str, str], ...]
    #: For each use, the values in the order of the parameters.
    values: tuple[tuple[object, ...], ...]


class Generalizer:
    """Finds the parameters of several uses of one block.

    Args:
        signature: the parameter names of a callee, from which parameters are named.
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._names: dict[tuple[str, ...], str] = {}
        self._values: dict[str, tuple[object, ...]] = {}

    def run(self, uses: Sequence[Sequence[Construct]]) -> Generalized:
        """The calls of the first use with parameters where other uses differ.

        Args:
            uses: for each use its calls; calls at one position have one form.
        """
        calls = tuple(self._call(alike) for alike in zip(*uses, strict=True))
        return Generalized(
            calls=calls,
            parameters=tuple((name, _annotation(v)) for name, v in self._values.items()),
            values=tuple(zip(*self._values.values(), strict=True))
            if self._values
            else ((),) * len(uses),
        )

    def _call(self, alike: Sequence[Construct]) -> Construct:
        first = alike[0]
        names = self._signature(first.callee)
        args = tuple(
            self._argument([call.args[i] for call in alike], _nth(names, i))
            for i in range(len(first.args))
        )
        kwargs = tuple(
            (name, self._argument([call.kwargs[i][1] for call in alike], name))
            for i, (name, _) in enumerate(first.kwargs)
        )
        return Construct(first.callee, args, kwargs)

    def _argument(self, values: Sequence[object], hint: str) -> object:
        if isinstance(values[0], Construct):
            calls = [value for value in values if isinstance(value, Construct)]
            return self._call(calls)
        key = tuple(repr(value) for value in values)
        if len(set(key)) == 1:
            return values[0]
        if key not in self._names:
            name = unused(_FAMILIES.get(hint, hint), self._values)
            self._names[key] = name
            self._values[name] = tuple(values)
        return Name(self._names[key])


def unused(wanted: str, taken: Collection[str], separator: str = "_") -> str:
    """``wanted``, or with the first number behind it that is not taken; never a keyword."""
    name = f"{wanted}_" if keyword.iskeyword(wanted) else wanted
    between = "_" if wanted[-1:].isdigit() else separator
    number = 2
    while name in taken:
        name = f"{wanted}{between}{number}"
        number += 1
    return name


def parameter_names(callee: Callable[..., object]) -> Sequence[str]:
    """The names of a class's or function's parameters, in order."""
    try:
        return list(inspect.signature(callee).parameters)
    except (TypeError, ValueError):
        return ()


def _nth(names: Sequence[str], index: int) -> str:
    return names[index] if index < len(names) else "value"


def _annotation(values: Sequence[object]) -> str:
    def one(value: object) -> str:
        return "tuple[int, ...]" if isinstance(value, tuple) else type(value).__name__

    return " | ".join(sorted({one(value) for value in values})).replace("NoneType", "None")
