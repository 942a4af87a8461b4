"""Functions and classes that a space names by import path; imported when first called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from morphml.errors import SpaceError


def resolved(target: object) -> Callable[..., object]:
    """The callable that ``target`` is, or that its import path ``package.module:Name`` names.

    Raises:
        SpaceError: when there is nothing callable under that path.
    """
    if callable(target):
        return target
    module, _, name = str(target).partition(":")
    try:
        found: object = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpaceError(
            f"{target!r} cannot be imported: {error}; write 'package.module:Name'"
        ) from error
    if not callable(found):
        raise SpaceError(f"{target!r} is no function or class")
    return found
