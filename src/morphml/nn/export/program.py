"""A forward pass as lines of code, on the way from a plan to a Python file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from morphml.graph import Shape
from morphml.nn.expression import Lowered, Module
from morphml.nn.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One call of a forward pass."""

    #: Number of the tensor that the call makes.
    makes: int
    #: Numbers of the tensors that it takes, in the order of the ports.
    takes: tuple[int, ...]
    lowered: Lowered
    #: Where in the space it came from; names its attribute.
    path: str
    #: The operation, or the class of a block; names its attribute where there is no path.
    op: str
    #: Modules of the built network that it calls, and their dotted names below the attribute
    #: (empty: the attribute itself). Lines with equal modules share one attribute.
    modules: tuple[tuple[str, str], ...] = ()
    #: Shapes that arrive and leave, without the batch axis; None where they vary between the uses
    #: of a block.
    shapes: tuple[tuple[Shape, ...], Shape] | None = None

    @property
    def has_module(self) -> bool:
        """Whether the line calls a module, not a function."""
        return isinstance(self.lowered, Module)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The lines of one ``forward``."""

    #: Numbers of the tensors that come from outside, in the order of the arguments.
    inputs: tuple[int, ...]
    #: In an order in which every tensor exists before it is taken.
    lines: tuple[Line, ...]
    #: Numbers of the tensors that are returned.
    outputs: tuple[int, ...]

    def uses(self) -> Counter[int]:
        """How often each tensor is taken or returned."""
        counts = Counter(number for line in self.lines for number in line.takes)
        counts.update(self.outputs)
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockClass:
    """A block that is used more than once: a class in the exported file."""

    name: str
    #: Constructor arguments: name and annotation.
    parameters: tuple[tuple[str, str], ...]
    scope: Scope
    #: Paths of the uses, for the docstring.
    places: tuple[str, ...]


def scope_of(plan: Plan) -> Scope:
    """The forward pass of a plan, one line for each step."""
    shapes = {slot.node: slot.shape for slot in plan.inputs}
    shapes |= {step.node: step.shape for step in plan.steps}
    lines = [
        Line(
            makes=step.node,
            takes=step.inputs,
            lowered=step.lowered,
            path=step.path,
            op=step.op,
            modules=((step.module, ""),) if step.module else (),
            shapes=(tuple(shapes[number] for number in step.inputs), step.shape),
        )
        for step in plan.steps
    ]
    return Scope(
        inputs=tuple(slot.node for slot in plan.inputs),
        lines=tuple(lines),
        outputs=tuple(number for _, number in plan.outputs),
    )


def is_chain(lines: Sequence[Line], uses: Counter[int]) -> bool:
    """Whether each line takes what the line before makes, and nobody else does."""
    return all(
        after.takes == (before.makes,) and uses[before.makes] == 1
        for before, after in pairwise(lines)
    )
