"""What an evaluator will import and read, as it declares or its code tells; nothing is run."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

from morphml.errors import EvaluatorError

#: Names in the code that tell: ``import torch``, ``torch.nn``, and ``arch.build()``.
_HINTS = {"torch": "torch", "build": "torch"}
_FUNCTIONS_LIMIT = 200


def needs_of(evaluator: object) -> tuple[str, ...]:
    """Names of packages worth importing before the evaluator runs; a guess, never wrong to follow.

    A declared ``needs`` is taken as it is. Else the evaluator's functions and those it calls in
    its own module are searched for names such as ``torch``.
    """
    declared = getattr(evaluator, "needs", None)
    if isinstance(declared, tuple | list):
        return tuple(str(name) for name in declared)
    found = {
        package
        for function in _functions(evaluator)
        for name in _names(function)
        for package in _hint(name, function)
    }
    return tuple(sorted(found))


def data_sets_of(evaluator: object) -> tuple[str, ...]:
    """Names of the data sets that the evaluator declares to read, as ``data_sets``; mostly none.

    Raises:
        EvaluatorError: when what it declares are no names.
    """
    declared = getattr(evaluator, "data_sets", ())
    if not isinstance(declared, tuple | list) or not all(
        isinstance(name, str) and name for name in declared
    ):
        raise EvaluatorError(
            f"evaluator: data_sets: names as a tuple of texts, such as ('imagenet',), got "
            f"{declared!r}"
        )
    return tuple(declared)


def _functions(evaluator: object) -> Iterator[FunctionType]:
    """The evaluator's own functions, then those of the same module that they name."""
    waiting = _own_functions(evaluator)
    seen: set[CodeType] = set()
    while waiting and len(seen) < _FUNCTIONS_LIMIT:
        function = waiting.pop()
        if function.__code__ in seen:
            continue
        seen.add(function.__code__)
        yield function
        for name in _names(function):
            other = function.__globals__.get(name)
            if getattr(other, "__module__", None) == function.__module__:
                waiting.extend(_own_functions(other))


def _own_functions(item: object) -> list[FunctionType]:
    if isinstance(item, FunctionType):
        inner = inspect.unwrap(item)
        return [inner] if isinstance(inner, FunctionType) else [item]
    kind = item if inspect.isclass(item) else type(item)
    return [value for value in vars(kind).values() if isinstance(value, FunctionType)]


def _names(function: FunctionType) -> set[str]:
    names: set[str] = set()
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        names.update(code.co_names)
        waiting.extend(const for const in code.co_consts if isinstance(const, CodeType))
    return names


def _hint(name: str, function: FunctionType) -> Iterator[str]:
    package = _HINTS.get(name.partition(".")[0])
    if package is None:
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType):
            package = _HINTS.get(value.__name__.partition(".")[0])
    if package is not None:
        yield package
