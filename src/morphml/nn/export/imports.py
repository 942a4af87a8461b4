"""The user's own layers in an exported file: imported from where they are defined."""

from __future__ import annotations

from dataclasses import replace

from morphml.errors import CallerError
from morphml.graph.operation import CUSTOM_PREFIX
from morphml.nn.export.program import Line, Scope
from morphml.nn.expression import Construct, Module
from morphml.nn.names import Registered, target


def importable(scope: Scope, registered: Registered) -> tuple[Scope, list[str]]:
    """The scope with import paths for the user's layers, and the import statements it needs.

    Raises:
        CallerError: for a layer that no import can reach, or two with one name.
    """
    lines = tuple(_line(line, registered) for line in scope.lines)
    paths = {
        line.lowered.make.callee
        for line in lines
        if isinstance(line.lowered, Module) and ":" in line.lowered.make.callee
    }
    names: dict[str, str] = {}
    for path in sorted(paths):
        module, _, qualified = path.partition(":")
        name = qualified.partition(".")[0]
        if names.setdefault(name, module) != module:
            raise CallerError(
                f"two layers of one name cannot be exported to one file: {name} of {module} and "
                f"of {names[name]}"
            )
    imports = [f"from {module} import {name}" for name, module in sorted(names.items())]
    return replace(scope, lines=lines), imports


def _line(line: Line, registered: Registered) -> Line:
    if not isinstance(line.lowered, Module):
        return line
    make = line.lowered.make
    if not make.callee.startswith(CUSTOM_PREFIX):
        return line
    found = target(make.callee, registered)
    path = found if isinstance(found, str) else import_path(found)
    return replace(line, lowered=Module(Construct(path, make.args, make.kwargs)))


def import_path(layer: object) -> str:
    """The path ``package.module:Name`` under which another process finds ``layer``.

    Raises:
        CallerError: when there is none.
    """
    module = getattr(layer, "__module__", "__main__")
    name = getattr(layer, "__qualname__", repr(layer))
    if module == "__main__" or "<" in name:
        raise CallerError(
            f"the layer {name} of {module} cannot be imported by an exported file; define it in a "
            "module of its own, or export with to_onnx"
        )
    return f"{module}:{name}"
