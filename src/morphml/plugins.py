"""What others add by installing a package: objects found by entry point, loaded when asked for."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points

from morphml.errors import CallerError


def load_plugin(group: str, name: str) -> object:
    """The object that an installed package offers as ``name`` in the entry-point ``group``.

    Args:
        group: such as ``morphml.frameworks``.
        name: such as ``torch``.

    Raises:
        CallerError: when no installed package offers that name; the message lists those there are.
    """
    found = _offered(group)
    for entry in found:
        if entry.name == name:
            plugin: object = entry.load()
            return plugin
    offered = ", ".join(sorted({entry.name for entry in found})) or "none"
    raise CallerError(f"no plug-in {name!r} in {group!r}; installed: {offered}")


def plugin_names(group: str) -> tuple[str, ...]:
    """What installed packages offer in the entry-point ``group``, sorted; nothing is loaded."""
    return tuple(sorted({entry.name for entry in _offered(group)}))


def _offered(group: str) -> EntryPoints:
    return _read(group, tuple(sys.path))


@lru_cache(maxsize=64)
def _read(group: str, _path: tuple[str, ...]) -> EntryPoints:
    """Read once for each search path: 10 to 20 ms, and each workflow that is posted asks.

    What is installed into a folder of that path later is found by the next process.
    """
    return entry_points(group=group)
