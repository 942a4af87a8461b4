"""Constructors of composed blocks: sequence, repeat, parallel, residual, tap, join, nest, cell."""

from __future__ import annotations

from collections.abc import Iterable

from morphml.errors import SpaceError
from morphml.space.blocks import (
    Cell,
    Join,
    Nest,
    Parallel,
    Repeat,
    Residual,
    Sequence,
    Shared,
    Tap,
    flat,
)
from morphml.space.domains import Choice, OptionalBlock, Real, is_block, is_integer
from morphml.space.expressions import Expression
from morphml.space.form import check_flag, check_name, check_segment, plain

MERGES = ("add", "concat")
JOINS = ("concat", "add", "replace")


def sequence(*blocks: object, name: str | None = None) -> Sequence:
    """``blocks`` one after another, as one block.

    Raises:
        SpaceError: when something that is no block is among them.
    """
    check_segment(name, of="a sequence")
    return Sequence(blocks=checked_blocks(blocks, of="sequence"), name=name)


def repeat(*body: object, times: object, tie: bool = False, name: str | None = None) -> Repeat:
    """``body`` several times in a row.

    Args:
        body: blocks; each copy decides on its own (paths ``body/0/..``, ``body/1/..``), apart from
            decisions with a name, which are one in the whole space.
        times: a whole number, `integer`, a choice of whole numbers, or an expression. With 0 copies
            the input passes on.
        tie: all copies are equal; their decisions are made once (paths ``body/..``).
        name: the path segment, ``body`` unless given.

    Raises:
        SpaceError: without a body, or when ``times`` is no count.

    >>> from morphml.space import layers as L
    >>> repeat(L.conv2d(16), L.relu(), times=3)
    repeat(conv2d(filters=16), relu(), times=3)
    """
    check_segment(name, of="a repeat")
    check_flag(tie, "tie=", of="repeat")
    blocks = checked_blocks(body, of="repeat")
    return Repeat(body=blocks, times=_count(times, of="repeat"), tie=tie, name=name)


def parallel(
    branches: Iterable[object],
    merge: object = "add",
    match: str | None = None,
    name: str | None = None,
) -> Parallel:
    """Branches that all read the trunk and are merged.

    Args:
        branches: blocks. An optional branch that is absent takes no part; with no branch left the
            input passes on.
        merge: ``add``, ``concat`` (channels), or a choice of these.
        match: ``project`` brings unequal shapes to the first branch's; None: they are an error.
        name: the path segment, ``parallel`` unless given.

    Raises:
        SpaceError: without branches, or for an unknown merge or match.
    """
    check_segment(name, of="a parallel")
    blocks = checked_blocks(flat(branches), of="parallel")
    _check_option(merge, MERGES, "merge", of="parallel")
    return Parallel(branches=blocks, merge=merge, match=_match(match), name=name)


def residual(*body: object, match: str | None = None, name: str | None = None) -> Residual:
    """The body's output plus its input.

    Args:
        body: blocks.
        match: ``project`` brings the input to the body's shape where they differ.
        name: the path segment, ``residual`` unless given.

    Raises:
        SpaceError: without a body, or for an unknown match.
    """
    check_segment(name, of="a residual")
    blocks = checked_blocks(body, of="residual")
    return Residual(body=blocks, match=_match(match), name=name)


def tap(name: str) -> Tap:
    """Marks this place under ``name`` for a `join` further on."""
    check_segment(_required(name, "tap"), of="a tap")
    return Tap(name=name)


def join(name: str, how: object = "concat", match: str | None = None) -> Join:
    """Joins the trunk with the place that ``tap(name)`` marked, or with the input of that name.

    Where the tap is in a part that this member does not have, the trunk passes on.

    Args:
        name: of the tap or input.
        how: ``concat`` (channels), ``add``, ``replace`` (go on from there), or a choice of these.
        match: ``project`` brings the tapped value to the trunk's shape where they differ.

    Raises:
        SpaceError: for an unknown ``how`` or match. A tap that is nowhere is found at definition.
    """
    check_segment(_required(name, "join"), of="a join")
    _check_option(how, JOINS, "how", of="join")
    return Join(name=name, how=how, match=_match(match))


def nest(down: object, up: object, inner: object, times: object, name: str | None = None) -> Nest:
    """``down(down(.. inner ..)up)up``: with taps in ``down`` and joins in ``up``, a U-Net.

    Taps belong to their level: the join of level 1 reads the tap of level 1. Each level decides on
    its own (paths ``nest/0/down/..``, ``nest/0/up/..``, ``nest/inner/..``).

    Args:
        down: block or blocks on the way down, at each level.
        up: block or blocks on the way up, at each level.
        inner: block or blocks at the bottom.
        times: number of levels: a whole number, `integer`, or an expression.
        name: the path segment, ``nest`` unless given.

    Raises:
        SpaceError: for something that is no block, or no count.
    """
    check_segment(name, of="a nest")
    return Nest(
        down=_one_block(down, of="nest"),
        up=_one_block(up, of="nest"),
        inner=_one_block(inner, of="nest"),
        times=_count(times, of="nest"),
        name=name,
    )


def shared(block: object, name: str) -> Shared:
    """One module with one set of weights, used at each place where this name stands.

    Raises:
        SpaceError: when ``block`` is no block. Two different blocks of one name are found when the
            space is defined.
    """
    check_segment(_required(name, "shared"), of="a shared block")
    return Shared(block=_one_block(block, of="shared"), name=name)


def cell(  # noqa: PLR0913  (the fields of a cell, all by keyword)
    *,
    on: str,
    nodes: int,
    ops: Iterable[object],
    inputs: int = 1,
    in_degree: int | None = None,
    max_edges: int | None = None,
    merge: str = "add",
    reduce: bool = False,
    channels: object = None,
    match: str | None = None,
    name: str | None = None,
) -> Cell:
    """A small directed acyclic graph whose operations and edges are searched.

    Node numbers: the inputs come first (0, or 0 and 1), then the computed nodes in order. A node
    adds up what its edges bring.

    Args:
        on: ``edges``: each edge carries one of ``ops``, nodes add; ``nodes``: each node adds its
            inputs and applies one of ``ops``, edges are there or not.
        nodes: how many computed nodes (inputs and output not counted).
        ops: blocks. Inside, ``channels()`` is the cell's channel count.
        inputs: 1: the trunk; 2: the outputs of the last two cells (the trunk, and what the previous
            cell read as its trunk), projected to the same shape.
        in_degree: None: all edges i<j are possible; k: each node takes exactly k of the earlier
            ones (all, while there are fewer).
        max_edges: at most so many edges; with ``on="edges"`` edges whose operation is not zero().
        merge: what the cell returns: ``last`` node; ``add`` or ``concat`` of all computed nodes
            (with ``on="nodes"``: of the nodes that have an edge to the output, or that no node
            reads where ``in_degree`` is given); ``share``, with ``on="nodes"``: a concatenation to
            which each of them gives an equal share of the cell's channels, the others have as many
            as the widest that they feed, and the cell's inputs are brought to what is needed by 1x1
            convolutions.
        reduce: halve the resolution: edges that leave the inputs have stride 2.
        channels: the cell's channel count, a number or expression; None: that of the place.
        match: ``project`` brings unequal shapes that meet at a node to the first one's.
        name: cells with one name share their decisions; they must be written alike.

    Raises:
        SpaceError: for counts that make no graph, or something among ``ops`` that is no block.
    """
    check_segment(name, of="a cell")
    made = Cell(
        on=on,
        nodes=nodes,
        ops=checked_blocks(flat(ops), of="cell"),
        inputs=inputs,
        in_degree=in_degree,
        max_edges=max_edges,
        merge=merge,
        reduce=reduce,
        channels=channels,
        match=_match(match),
        name=name,
    )
    _check_cell(made)
    return made


def checked_blocks(blocks: Iterable[object], *, of: str) -> tuple[object, ...]:
    """``blocks`` as a tuple.

    Raises:
        SpaceError: when there is none, or one of them is no block.
    """
    made = tuple(blocks)
    if not made:
        raise SpaceError(f"{of}() needs at least one block, got none")
    for block in made:
        if not is_block(block):
            raise SpaceError(f"{of}() is made of blocks such as L.relu(), got {block!r}")
    return made


def _one_block(blocks: object, *, of: str) -> object:
    made = checked_blocks(flat(blocks), of=of)
    return made[0] if len(made) == 1 else Sequence(blocks=made)


def _count(times: object, *, of: str) -> object:
    times = plain(times)
    if is_integer(times):
        if isinstance(times, int) and times < 0:
            raise SpaceError(f"times={times} of {of}(): a count is at least 0")
        return times
    blocks = isinstance(times, OptionalBlock) or (isinstance(times, Choice) and times.of_blocks)
    if isinstance(times, Expression) and not blocks and not isinstance(times, Real):
        return times
    raise SpaceError(f"times={times!r} of {of}() is no count: use a whole number or integer(1, 4)")


def _match(match: str | None) -> str | None:
    if match not in (None, "project"):
        raise SpaceError(f"match={match!r} is neither None nor 'project'")
    return match


def _check_option(value: object, allowed: tuple[str, ...], what: str, *, of: str) -> None:
    given = value.options if isinstance(value, Choice) else (value,)
    for option in given:
        if option not in allowed:
            raise SpaceError(f"{what}={option!r} of {of}() is none of {', '.join(allowed)}")


def _required(name: str, what: str) -> str:
    if not isinstance(name, str):
        raise SpaceError(f"{what}() needs a name, got {name!r}")
    check_name(None, of=what)
    return name


def _check_cell(made: Cell) -> None:
    check_flag(made.reduce, "reduce=", of="cell")
    if made.on not in ("edges", "nodes"):
        raise SpaceError(f"on={made.on!r} of cell() is neither 'edges' nor 'nodes'")
    if not is_integer(made.nodes) or made.nodes < 1:
        raise SpaceError(f"nodes={made.nodes!r} of cell(): at least 1")
    if made.inputs not in (1, 2):
        raise SpaceError(f"inputs={made.inputs!r} of cell() is neither 1 nor 2")
    for what, value in (("in_degree", made.in_degree), ("max_edges", made.max_edges)):
        if value is not None and (not is_integer(value) or value < 1):
            raise SpaceError(f"{what}={value!r} of cell(): None or at least 1")
    if made.in_degree is not None and made.max_edges is not None:
        raise SpaceError("cell() takes in_degree= or max_edges=, not both")
    if made.merge not in ("last", "share", *MERGES):
        raise SpaceError(f"merge={made.merge!r} of cell() is none of last, add, concat, share")
    if made.merge == "share" and (made.on != "nodes" or made.in_degree is not None):
        raise SpaceError('merge="share" of cell() needs on="nodes", and no in_degree=')
    channels = made.channels
    if channels is not None and not isinstance(channels, Expression) and not is_integer(channels):
        raise SpaceError(f"channels={channels!r} of cell() is neither a number nor an expression")
