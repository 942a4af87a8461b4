"""The digest of an evaluator: equal digests promise equal results for equal inputs.

Where that promise cannot be made the digest is None, and results are shared with no other
experiment. The judgement is conservative: the whole source file counts, and every value that the
function or object carries has to be plain.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from pathlib import Path

import orjson

from morphml.ids import digest


class _Plain:
    """An object that keeps all its values in its ``__dict__``."""


def digest_of(evaluator: object) -> str | None:
    """The evaluator's digest, 32 hexadecimal digits, or None when it cannot be known.

    A declared ``digest`` is taken as it is. A declared ``version`` stands for the code and for
    values that are not plain; those that are plain count beside it, and so does a ``data_digest``.
    """
    declared = getattr(evaluator, "digest", None)
    if isinstance(declared, str) and declared:
        return declared
    owner = _code_owner(evaluator)
    plain, complete = _carried(evaluator)
    version = getattr(evaluator, "version", None)
    if isinstance(version, str | int) and not isinstance(version, bool):
        code: bytes | None = f"version {version}".encode()
    else:
        code = _source_file(owner) if complete else None
    if code is None:
        return None
    data = getattr(evaluator, "data_digest", None)
    parts = [_name(owner).encode(), code, plain, str(data or "").encode()]
    return digest(b"\0".join(parts))


def _code_owner(evaluator: object) -> object:
    if inspect.isroutine(evaluator):
        return inspect.unwrap(evaluator)
    return type(evaluator)


def _name(owner: object) -> str:
    module = owner.__module__
    if module == "__main__":  # of which every script has one
        with suppress(TypeError):
            module = Path(inspect.getsourcefile(owner) or module).stem  # type: ignore[arg-type]  # others raise TypeError
    return f"{module}:{getattr(owner, '__qualname__', '?')}"


def _source_file(owner: object) -> bytes | None:
    """The whole file that defines the code; a notebook cell or a shell has none."""
    try:
        path = inspect.getsourcefile(owner)  # type: ignore[arg-type]  # others raise TypeError
        return Path(path).read_bytes() if path else None
    except (TypeError, OSError):
        return None


def _carried(evaluator: object) -> tuple[bytes, bool]:
    """The plain values beside the code, as JSON, and whether they are all that there are."""
    if inspect.isfunction(evaluator):
        try:
            cells = [cell.cell_contents for cell in evaluator.__closure__ or ()]
        except ValueError:
            return b"", False
        carried: dict[str, object] = dict(zip(evaluator.__code__.co_freevars, cells, strict=True))
        carried["defaults"] = [evaluator.__defaults__, evaluator.__kwdefaults__]
    elif inspect.isroutine(evaluator):
        return b"", False
    else:
        same_size = type(evaluator).__basicsize__ == _Plain.__basicsize__
        if not same_size or not hasattr(evaluator, "__dict__"):
            return b"", False  # it keeps values elsewhere: slots, functools.partial
        carried = dict(vars(evaluator))
    plain = {name: value for name, value in carried.items() if _is_plain(value)}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS), len(plain) == len(carried)


def _is_plain(value: object) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return False
    return True
