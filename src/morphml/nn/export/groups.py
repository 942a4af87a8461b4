"""Parts of a forward pass that could be a block: by their paths, with one way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from morphml.nn.export.program import Line, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines below one path, which can be replaced by a single call."""

    #: The path that they have in common.
    path: str
    lines: tuple[Line, ...]
    #: Tensors from outside, in the order in which they are first taken.
    inputs: tuple[int, ...]
    #: The one tensor that is taken outside.
    output: int


def groups(scope: Scope) -> Iterator[Group]:
    """All groups of at least two lines, each under the longest path that its lines share."""
    members: dict[str, list[Line]] = {}
    for line in scope.lines:
        parts = line.path.split("/") if line.path else []
        for depth in range(1, len(parts) + 1):
            members.setdefault("/".join(parts[:depth]), []).append(line)
    seen: set[tuple[int, ...]] = set()
    users = _users(scope)
    for path in sorted(members, key=lambda path: (-path.count("/"), path)):
        lines = tuple(members[path])
        key = tuple(line.makes for line in lines)
        if len(lines) >= 2 and len(lines) < len(scope.lines) and key not in seen:
            seen.add(key)
            group = _group(path, lines, scope, users)
            if group is not None:
                yield group


def _users(scope: Scope) -> Mapping[str, set[int]]:
    """Which lines call each module of the built network."""
    users: dict[str, set[int]] = {}
    for line in scope.lines:
        for module, _ in line.modules:
            users.setdefault(module, set()).add(line.makes)
    return users


def _group(
    path: str, lines: tuple[Line, ...], scope: Scope, users: Mapping[str, set[int]]
) -> Group | None:
    inside = {line.makes for line in lines}
    taken_outside = {n for line in scope.lines if line.makes not in inside for n in line.takes}
    exits = inside & (taken_outside | set(scope.outputs))
    shared_outside = any(not users[m] <= inside for line in lines for m, _ in line.modules)
    if len(exits) != 1 or shared_outside:
        return None
    (output,) = exits
    if _comes_back(output, inside, scope):
        return None
    inputs = dict.fromkeys(n for line in lines for n in line.takes if n not in inside)
    return Group(path=path, lines=lines, inputs=tuple(inputs), output=output)


def _comes_back(output: int, inside: set[int], scope: Scope) -> bool:
    """Whether a way leads from the group's output through the outside into the group again."""
    reached: set[int] = set()
    for line in scope.lines:
        if line.makes in inside:
            if reached.intersection(line.takes):
                return True
        elif output in line.takes or reached.intersection(line.takes):
            reached.add(line.makes)
    return False
