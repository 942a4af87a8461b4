"""Which loader is which: two processes must agree, and other arguments are other data."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping

import orjson

from morphml.errors import EvaluatorError
from morphml.ids import digest


def identity_of(loader: Callable[[], object]) -> str:
    """A digest of the loader's name, its code and the plain values that it carries.

    What it reads beside these, files and global variables, does not count.

    Raises:
        EvaluatorError: when it carries values that are not plain, so that nobody can tell.
    """
    return digest(orjson.dumps(_parts(loader), option=orjson.OPT_SORT_KEYS))


def _parts(loader: object) -> list[object]:
    if isinstance(loader, functools.partial):
        return [_parts(loader.func), _plain(list(loader.args)), _plain(dict(loader.keywords))]
    if isinstance(loader, types.MethodType):
        return [_parts(loader.__func__), _attributes(loader.__self__)]
    if isinstance(loader, types.FunctionType):
        return [_name(loader), _code(loader.__code__), _plain(_carried(loader))]
    if isinstance(loader, type) or not hasattr(loader, "__dict__"):
        return [_name(loader)]
    return [_name(type(loader)), _attributes(loader)]


def _carried(function: types.FunctionType) -> Mapping[str, object]:
    cells = [each.cell_contents for each in function.__closure__ or ()]
    held = dict(zip(function.__code__.co_freevars, cells, strict=True))
    # Functions that it calls are told apart by their own code.
    known = {
        name: _parts(value) if isinstance(value, types.FunctionType) else value
        for name, value in held.items()
    }
    return {**known, " defaults": [function.__defaults__, function.__kwdefaults__]}


def _attributes(owner: object) -> Mapping[str, object]:
    """The plain ones: an evaluator holds much that its data do not come from."""
    found: dict[str, object] = {}
    for name, value in sorted(getattr(owner, "__dict__", {}).items()):
        try:
            orjson.dumps(value)
        except orjson.JSONEncodeError:
            continue
        found[name] = value
    return found


def _plain(value: object) -> object:
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise EvaluatorError(
            f"dataset: nobody can tell which data this loader gives, since it carries what is not "
            f"plain ({error}); say trial.dataset(loader, name=...) with a name for just these data"
        ) from None
    return value


def _code(code: types.CodeType) -> list[object]:
    inner = [
        _code(each) if isinstance(each, types.CodeType) else _constant(each)
        for each in code.co_consts
    ]
    return [code.co_code.hex(), list(code.co_names), inner]


def _constant(value: object) -> str:
    """A constant of code as text; sets have no order of their own."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _name(owner: object) -> str:
    return f"{getattr(owner, '__module__', '')}:{getattr(owner, '__qualname__', owner)}"
