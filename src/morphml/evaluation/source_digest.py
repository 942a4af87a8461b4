"""The digest of an evaluator: equal digests promise equal results for equal inputs.

Where that promise cannot be made the digest is None, and results are shared with no other
experiment. The judgement is conservative: the whole source file counts, and every value that the
function or object carries has to be plain.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import orjson

from morphml.ids import digest


class _Plain:
    """An object that keeps all its values in its ``__dict__``."""


def digest_of(evaluator: object) -> str | None:
    """The evaluator's digest, 32 hexadecimal digits, or None when it cannot be known.

    A declared ``digest`` is taken as it is; a declared ``version`` stands for code and values.
    """
    declared = getattr(evaluator, "digest", None)
    if isinstance(declared, str) and declared:
        return declared
    owner = _code_owner(evaluator)
    name = f"{owner.__module__}:{getattr(owner, '__qualname__', '?')}"
    version = getattr(evaluator, "version", None)
    if isinstance(version, str | int) and not isinstance(version, bool):
        return digest(f"{name}\0{version}".encode())
    values = _carried(evaluator)
    source = _source_file(owner)
    if values is None or source is None:
        return None
    return digest(b"\0".join([name.encode(), source, values]))


def _code_owner(evaluator: object) -> object:
    if inspect.isroutine(evaluator):
        return inspect.unwrap(evaluator)
    return type(evaluator)


def _source_file(owner: object) -> bytes | None:
    """The whole file that defines the code; a notebook cell or a shell has none."""
    try:
        path = inspect.getsourcefile(owner)  # type: ignore[arg-type]  # others raise TypeError
        return Path(path).read_bytes() if path else None
    except (TypeError, OSError):
        return None


def _carried(evaluator: object) -> bytes | None:
    """The values beside the code, as JSON; None when one of them is not plain."""
    if inspect.isfunction(evaluator):
        try:
            cells = [cell.cell_contents for cell in evaluator.__closure__ or ()]
        except ValueError:
            return None
        carried: object = [cells, evaluator.__defaults__, evaluator.__kwdefaults__]
    elif inspect.isroutine(evaluator):
        return None
    else:
        same_size = type(evaluator).__basicsize__ == _Plain.__basicsize__
        if not same_size or not hasattr(evaluator, "__dict__"):
            return None  # it keeps values elsewhere: slots, functools.partial
        carried = dict(vars(evaluator))
    try:
        return orjson.dumps(carried, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return None
