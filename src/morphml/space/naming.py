"""How paths are made. They freeze with the first stored experiment.

The path of a decision is the segments of the blocks around it and then the argument, joined by
slashes: ``body/0/conv2d/filters``.

* A block's segment is its ``name=``; else a layer's kind (``conv2d``), ``body`` for a repeat,
  ``choice``, ``optional``, ``sequence``, ``parallel``, ``residual``, ``join``, ``nest``, ``cell``;
  a shared block's is its name.
* Among siblings the first of a segment is plain, the next ones are ``conv2d_2``, ``conv2d_3``.
* A repeat adds the copy's number (``body/0``), unless tied; its count is ``body/times``.
* A parallel adds the branch's number, a nest the level and ``down`` or ``up``, or ``inner``.
* The options of a choice of blocks are numbered like siblings: ``choice/relu``, ``choice/relu_2``.
  The segment is also the option's label, the value that the decision shows.
* An unnamed sequence that is the whole of an optional, branch, level, head or shared block adds no
  segment.
* A decision with a name has that name as its whole path. A named cell and a shared block begin the
  path anew: ``normal/2/op``.
* Heads are ``outputs/NAME/..``, hyperparameters ``hyper/NAME``; the decisions of the escape hatch
  have their name.
"""

from __future__ import annotations

from collections.abc import Iterable

from morphml.space.blocks import (
    Cell,
    Custom,
    Join,
    Layer,
    Nest,
    Parallel,
    Repeat,
    Residual,
    Sequence,
    Tap,
)
from morphml.space.domains import Choice, OptionalBlock

_KINDS = {
    Sequence: "sequence",
    Repeat: "body",
    Parallel: "parallel",
    Residual: "residual",
    Tap: "tap",
    Join: "join",
    Nest: "nest",
    Cell: "cell",
    Choice: "choice",
    OptionalBlock: "optional",
    Custom: "custom",
}


def segment(block: object) -> str:
    """A block's own segment, before numbering."""
    if isinstance(block, Tap | Join):
        return _KINDS[type(block)]
    name = getattr(block, "name", None)
    if isinstance(name, str):
        return name
    if isinstance(block, Layer):
        return block.kind
    return _KINDS.get(type(block), "block")


def segments(blocks: Iterable[object]) -> list[str]:
    """The segments of siblings, repeated ones numbered."""
    taken: set[str] = set()
    following: dict[str, int] = {}
    made = []
    for block in blocks:
        plain = candidate = segment(block)
        while candidate in taken:
            number = following.get(plain, 2)
            following[plain] = number + 1
            candidate = f"{plain}_{number}"
        taken.add(candidate)
        made.append(candidate)
    return made


def is_transparent(block: object) -> bool:
    """True for an unnamed sequence, which adds no segment where it stands alone."""
    return isinstance(block, Sequence) and block.name is None


def joined(prefix: str, *rest: object) -> str:
    """The path ``prefix/rest/..``; an empty prefix adds nothing."""
    return "/".join(str(part) for part in (prefix, *rest) if part != "")
