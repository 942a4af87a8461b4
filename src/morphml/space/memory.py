"""Nodes that were made for members of a space, kept so that equal ones are made once."""

from __future__ import annotations

from morphml.graph.values import Node, Shape

#: So many nodes are remembered for a space (about 10 MB) before its memory starts afresh.
REMEMBERED = 8192

#: A node that was made, and its output's shape.
Made = tuple[Node, Shape]


class Memory:
    """The nodes made lately for the members of one space: equal ones are made once."""

    __slots__ = ("_count", "_shelves")

    def __init__(self) -> None:
        self._shelves: list[dict[object, Made]] = []
        self._count = 0

    def shelf(self) -> dict[object, Made]:
        """An empty shelf for one place of the space; it may be emptied at any time."""
        made: dict[object, Made] = {}
        self._shelves.append(made)
        return made

    def keep(self, shelf: dict[object, Made], key: object, made: Made) -> Made:
        """Remember ``made`` on a shelf; where there are too many, all are forgotten first."""
        self._count += 1
        if self._count > REMEMBERED:
            for each in self._shelves:
                each.clear()
            self._count = 1
        shelf[key] = made
        return made
