"""Blocks: what layers are composed of. Every block is a value; written alike means equal.

A block reads the trunk (what the block before it made) and makes one output. Taps and joins are the
side roads: a tap marks a place, a join further on reads it. Taps set inside a copy of a repeat, a
level of a nest, a branch or an option belong to that scope; a join looks in its own scope first and
then in the enclosing ones. The names of the space's inputs are taps of the outermost scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from morphml.errors import SpaceError
from morphml.space.expressions import Expression
from morphml.space.form import call, check_segment, is_literal, plain


class Block:
    """Abstract: a part of a network with one input and one output; it has no state.

    Blocks compare and hash by how they are written.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Layer(Block):
    """One operation with its arguments, such as ``conv2d(filters=choice(16, 32))``."""

    #: The constructor's name in `morphml.layers`, such as ``conv2d``.
    kind: str
    #: Arguments in the constructor's order; those equal to their default are left out.
    arguments: tuple[tuple[str, object], ...] = ()
    #: The segment of its path; the kind unless given.
    name: str | None = None

    def __post_init__(self) -> None:
        check_segment(self.name, of=f"{self.kind}()")
        for key, value in self.arguments:
            if not (isinstance(value, Expression) or is_literal(value) or callable(value)):
                raise SpaceError(
                    f"argument {key}={value!r} of {self.kind}() is no value: use a finite number, "
                    "a string, a bool, a tuple of such, a choice or an expression"
                )

    def __repr__(self) -> str:
        written = {key: Written(value) for key, value in self.arguments}
        return call(self.kind, (), {**written, "name": self.name})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Custom(Block):
    """A module of the user as a layer; see `morphml.layers.custom`."""

    #: Import path, class or function.
    module: object
    #: Import path or function: output shape of (input shape, **arguments); None: unchanged.
    shape: object = None
    #: A count, or an import path or function of (input shape, **arguments); None: 0.
    params: object = None
    arguments: tuple[tuple[str, object], ...] = ()
    name: str | None = None

    def __post_init__(self) -> None:
        check_segment(self.name, of="custom()")
        if not (callable(self.module) or isinstance(self.module, str)):
            raise SpaceError(
                f"custom() takes a class, a function or 'package.module:Name', got {self.module!r}"
            )

    def __repr__(self) -> str:
        keywords = {"shape": self.shape, "params": self.params, "name": self.name}
        given = {key: value for key, value in keywords.items() if value is not None}
        written = {key: Written(value) for key, value in (*given.items(), *self.arguments)}
        return call("custom", (Written(self.module),), written)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sequence(Block):
    """Blocks one after another."""

    blocks: tuple[object, ...]
    name: str | None = None

    def __repr__(self) -> str:
        return call("sequence", self.blocks, {"name": self.name})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Repeat(Block):
    """``body`` several times in a row."""

    body: tuple[object, ...]
    #: A whole number, an integer or ordinal domain, or an expression; 0 copies pass the input on.
    times: object
    #: True: all copies are equal, and their decisions are made once.
    tie: bool = False
    name: str | None = None

    def __repr__(self) -> str:
        keywords = {"times": self.times, "tie": self.tie or None, "name": self.name}
        return call("repeat", self.body, keywords)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Parallel(Block):
    """Branches that all read the trunk, and are merged."""

    branches: tuple[object, ...]
    #: ``add``, ``concat``, or a choice of the two.
    merge: object = "add"
    #: ``project`` brings unequal shapes to that of the first branch; None makes them an error.
    match: str | None = None
    name: str | None = None

    def __repr__(self) -> str:
        merge = None if self.merge == "add" else self.merge
        return call(
            "parallel",
            (list(self.branches),),
            {"merge": merge, "match": self.match, "name": self.name},
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Residual(Block):
    """The body's output plus its input."""

    body: tuple[object, ...]
    #: ``project`` brings the input to the body's shape; None makes unequal shapes an error.
    match: str | None = None
    name: str | None = None

    def __repr__(self) -> str:
        return call("residual", self.body, {"match": self.match, "name": self.name})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Tap(Block):
    """Marks this place of the trunk under a name, for a join further on."""

    name: str

    def __repr__(self) -> str:
        return call("tap", (self.name,), {})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Join(Block):
    """Joins the trunk with what a tap marked."""

    name: str
    #: ``concat``, ``add``, or ``replace``: go on from the tap instead of the trunk.
    how: object = "concat"
    #: ``project`` brings the tapped value to the trunk's shape; None makes them an error.
    match: str | None = None

    def __repr__(self) -> str:
        how = None if self.how == "concat" else self.how
        return call("join", (self.name,), {"how": how, "match": self.match})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Nest(Block):
    """``down_0 (down_1 (... inner ...) up_1) up_0``: the shape of a U-Net."""

    down: object
    up: object
    inner: object
    #: The number of levels: a whole number, a domain or an expression.
    times: object
    name: str | None = None

    def __repr__(self) -> str:
        return call(
            "nest", (self.down, self.up, self.inner), {"times": self.times, "name": self.name}
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Shared(Block):
    """One module: each place where this name stands uses the same weights and decisions."""

    block: object
    name: str

    def __repr__(self) -> str:
        return call("shared", (self.block,), {"name": self.name})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Cell(Block):
    """A small directed graph to be searched; see `cell` for the meaning of the fields."""

    on: str
    nodes: int
    ops: tuple[object, ...]
    inputs: int = 1
    in_degree: int | None = None
    max_edges: int | None = None
    merge: str = "add"
    reduce: bool = False
    channels: object = None
    match: str | None = None
    name: str | None = None

    def __repr__(self) -> str:
        return call(
            "cell",
            (),
            {
                "on": self.on,
                "nodes": self.nodes,
                "ops": list(self.ops),
                "inputs": None if self.inputs == 1 else self.inputs,
                "in_degree": self.in_degree,
                "max_edges": self.max_edges,
                "merge": None if self.merge == "add" else self.merge,
                "reduce": self.reduce or None,
                "channels": self.channels,
                "match": self.match,
                "name": self.name,
            },
        )


@dataclass(frozen=True, slots=True, repr=False)
class Input:
    """What enters a network: its shape without the batch axis, and its dtype.

    Positional, because people write ``Input((3, 32, 32))``.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", plain(self.shape))
        shape: object = self.shape
        good = isinstance(shape, tuple) and all(
            isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in shape
        )
        if not good or not self.shape:
            raise SpaceError(f"an input's shape is a tuple of positive sizes, got {self.shape!r}")
        if self.dtype not in DTYPES:
            raise SpaceError(f"dtype={self.dtype!r} of an input is none of {', '.join(DTYPES)}")

    def __repr__(self) -> str:
        dtype = None if self.dtype == "float32" else self.dtype
        return call("Input", (self.shape,), {"dtype": dtype})


#: The dtypes an input may have.
DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Written:
    """An argument inside a call's text: None is written here, callables by their import path."""

    value: object

    def __repr__(self) -> str:
        return import_path(self.value) if _by_value(self.value) else repr(self.value)


def _by_value(value: object) -> bool:
    return callable(value) and not isinstance(value, Expression)


def import_path(function: object) -> str:
    """The text ``'package.module:Name'`` of a function or class, quoted.

    Functions without an import path (lambdas, closures, those of ``__main__``) are written as
    ``<name>``: such a space works, but cannot be read back from text.
    """
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    if module is None or module == "__main__" or "<" in name:
        return f"<{name}>"
    return repr(f"{module}:{name}")


def flat(blocks: object) -> tuple[object, ...]:
    """``blocks`` as a tuple: one block, or an iterable of blocks."""
    if isinstance(blocks, Block | Expression) or not isinstance(blocks, Iterable):
        return (blocks,)
    return tuple(blocks)
