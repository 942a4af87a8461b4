"""Where the compiler stands in a space: path, guard, taps in sight."""

from __future__ import annotations

from dataclasses import dataclass, replace

from morphml.space.guards import Conjunction, Term
from morphml.space.memory import Memory
from morphml.space.naming import joined


class Scope:
    """The taps of one repeat copy, nest level, or of the whole space, while it is compiled."""

    __slots__ = ("parent", "slots")

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        #: Tap name -> slot: the key under which a member's lowering keeps the tapped place.
        self.slots: dict[str, int] = {}

    def find(self, name: str) -> int | None:
        """The slot of the nearest tap of that name, or None."""
        if name in self.slots:
            return self.slots[name]
        return None if self.parent is None else self.parent.find(name)

    def names(self) -> list[str]:
        """All taps in sight, nearest first."""
        return [*self.slots, *([] if self.parent is None else self.parent.names())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One position in the tree of blocks."""

    scope: Scope
    #: The nodes made lately, one memory for the whole space.
    memory: Memory
    #: Prefix of decision paths.
    path: str = ""
    #: Prefix of node paths; differs in tied copies and shared parts.
    node: str = ""
    #: What must hold for this place to be part of a member.
    guard: Conjunction = ()
    #: True: decisions met here were declared before, at another place, and are the same ones.
    revisit: bool = False
    #: Key of the shared module around and the way inside it, or None.
    shared: str | None = None

    def child(self, *segments: object) -> Place:
        """The place one or more segments further down."""
        return replace(self.unseen(*segments), path=joined(self.path, *segments))

    def unseen(self, *segments: object) -> Place:
        """The place further down for nodes, but not for decisions: tied copies."""
        shared = None if self.shared is None else joined(self.shared, *segments)
        return replace(self, node=joined(self.node, *segments), shared=shared)

    def under(self, *terms: Term) -> Place:
        """This place where ``terms`` hold too."""
        return replace(self, guard=(*self.guard, *terms)) if terms else self

    def scoped(self) -> Place:
        """This place with a scope of taps of its own."""
        return replace(self, scope=Scope(self.scope))
