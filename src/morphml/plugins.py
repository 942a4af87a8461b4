"""What others add by installing a package: objects found by entry point, loaded when asked for."""

from __future__ import annotations

from importlib.metadata import entry_points

from morphml.errors import CallerError


def load_plugin(group: str, name: str) -> object:
    """The object that an installed package offers as ``name`` in the entry-point ``group``.

    Args:
        group: such as ``morphml.frameworks``.
        name: such as ``torch``.

    Raises:
        CallerError: when no installed package offers that name; the message lists those there are.
    """
    found = entry_points(group=group)
    for entry in found:
        if entry.name == name:
            plugin: object = entry.load()
            return plugin
    offered = ", ".join(sorted({entry.name for entry in found})) or "none"
    raise CallerError(f"no plug-in {name!r} in {group!r}; installed: {offered}")


def plugin_names(group: str) -> tuple[str, ...]:
    """What installed packages offer in the entry-point ``group``, sorted; nothing is loaded."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))
