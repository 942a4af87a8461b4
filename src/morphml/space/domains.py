"""Open choices: `choice`, `integer`, `real`, and `optional` for whole blocks.

A domain with a name is also an expression: ``width * 32``. The same name with the same domain is
one decision wherever it stands; Python object identity never ties.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from morphml.errors import SpaceError
from morphml.space.blocks import Block
from morphml.space.expressions import Expression, Spread
from morphml.space.form import call, check_flag, check_name, is_literal, plain


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Choice(Expression):
    """One of several options: values (plain, expressions, nested domains) or whole blocks."""

    #: Plain values, expressions, `Spread`, or blocks; never a mixture of blocks and values.
    options: tuple[object, ...]
    #: True: ordinal; False: categorical; None: ordinal when all options are numbers.
    ordered: bool | None = None
    #: One of the options; None means the first.
    default: object = None
    #: Ties all choices of this name and domain, and names the decision in expressions.
    name: str | None = None
    #: A condition over earlier decisions; None means always.
    when: Expression | None = None

    def __post_init__(self) -> None:
        check_name(self.name, of="a choice")
        if self.ordered is not None:
            check_flag(self.ordered, "ordered=", of="choice")
        if not self.options:
            raise SpaceError("choice() needs at least one option, got none")
        _check_options(self.options, self)
        allowed = self.default is None or any(
            isinstance(option, Spread) or same_value(self.default, option)
            for option in self.options
        )
        if not allowed:
            raise SpaceError(f"default={self.default!r} is not among the options of {self!r}")
        _check_condition(self.when)

    def __repr__(self) -> str:
        keywords = {"ordered": self.ordered, "default": self.default}
        return call("choice", self.options, {**keywords, "name": self.name, "when": self.when})

    @property
    def of_blocks(self) -> bool:
        """True when the options are blocks, so that the choice is itself a block."""
        return is_block(self.options[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Integer(Expression):
    """A whole number in [low, high], both inclusive."""

    #: Whole numbers, or expressions over earlier decisions.
    low: object
    high: object
    #: Draw and encode on a logarithmic scale; then low must be at least 1.
    log: bool = False
    #: The starting point; None means ``low``.
    default: int | None = None
    name: str | None = None
    when: Expression | None = None

    def __post_init__(self) -> None:
        check_name(self.name, of="an integer")
        check_flag(self.log, "log=", of="integer")
        for bound in (self.low, self.high):
            if not isinstance(bound, Expression) and not is_integer(bound):
                raise SpaceError(f"the bounds of integer() must be whole numbers, got {bound!r}")
        if is_integer(self.low) and is_integer(self.high):
            _check_bounds("integer", self.low, self.high, log=self.log)
            _check_default("integer", self.default, self.low, self.high)
        if self.default is not None and not is_integer(self.default):
            raise SpaceError(f"default={self.default!r} of integer() is not a whole number")
        _check_condition(self.when)

    def __repr__(self) -> str:
        keywords = {"log": self.log or None, "default": self.default}
        return call("integer", (self.low, self.high), keywords | _identity(self))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Real(Expression):
    """A finite float in [low, high], both inclusive."""

    low: float
    high: float
    #: Draw and encode on a logarithmic scale; then low must be above 0.
    log: bool = False
    #: The starting point; None means the middle of the scale.
    default: float | None = None
    name: str | None = None
    when: Expression | None = None

    def __post_init__(self) -> None:
        check_name(self.name, of="a real")
        check_flag(self.log, "log=", of="real")
        for bound in (self.low, self.high):
            if not is_number(bound):
                raise SpaceError(f"the bounds of real() must be finite numbers, got {bound!r}")
        _check_bounds("real", self.low, self.high, log=self.log)
        if self.low == self.high:
            raise SpaceError(f"real() has one value only, {self.low!r}: write it as a plain number")
        _check_default("real", self.default, self.low, self.high)
        _check_condition(self.when)

    def __repr__(self) -> str:
        keywords = {"log": self.log or None, "default": self.default}
        return call("real", (self.low, self.high), keywords | _identity(self))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OptionalBlock(Expression):
    """A block that is there or not; its decision is a bool."""

    block: object
    #: True: the starting point has the block.
    default: bool = False
    name: str | None = None
    when: Expression | None = None

    def __post_init__(self) -> None:
        check_name(self.name, of="an optional block")
        if not is_block(self.block):
            raise SpaceError(f"optional() takes a block such as L.dropout(0.5), got {self.block!r}")
        check_flag(self.default, "default=", of="optional")
        _check_condition(self.when)

    def __repr__(self) -> str:
        return call("optional", (self.block,), {"default": self.default or None} | _identity(self))


#: Larger bounds than these leave no room to compute with.
_LARGEST = 1e300

#: Every kind of open choice.
Domain = Choice | Integer | Real | OptionalBlock


def choice(
    *options: object,
    ordered: bool | None = None,
    default: object = None,
    name: str | None = None,
    when: Expression | None = None,
) -> Choice:
    """One of ``options``: values, or whole blocks.

    Args:
        options: plain values (numbers, strings, bools, None, tuples of whole numbers), expressions,
            ``*divisors(x)``, or blocks. Options that are all numbers are ordinal.
        ordered: overrides that: False makes numbers categorical, True orders anything.
        default: the option that the starting point takes; the first unless given.
        name: ties all choices with this name, and lets expressions read the decision.
        when: a condition over earlier named decisions; where it fails, a value is the default and a
            block is absent.

    Raises:
        SpaceError: no option, the same option twice, blocks mixed with values, NaN, or a default
            that is no option.

    >>> width = choice(16, 32, name="width")
    >>> width * 2
    choice(16, 32, name='width') * 2
    """
    options = tuple(plain(option) for option in options)
    return Choice(options=options, ordered=ordered, default=plain(default), name=name, when=when)


def integer(
    lo: object,
    hi: object,
    log: bool = False,
    default: int | None = None,
    name: str | None = None,
    when: Expression | None = None,
) -> Integer:
    """A whole number from ``lo`` to ``hi``, both inclusive.

    Args:
        lo: lowest value, or an expression over earlier decisions.
        hi: highest value, or such an expression.
        log: use a logarithmic scale; needs ``lo >= 1``.
        default: the starting point; ``lo`` unless given.
        name: see `choice`.
        when: see `choice`.

    Raises:
        SpaceError: for bounds that are not whole, or are in the wrong order.
    """
    return Integer(low=plain(lo), high=plain(hi), log=log, default=default, name=name, when=when)


def real(
    lo: float,
    hi: float,
    log: bool = False,
    default: float | None = None,
    name: str | None = None,
    when: Expression | None = None,
) -> Real:
    """A float from ``lo`` to ``hi``, both inclusive.

    Args:
        lo: lowest value, finite.
        hi: highest value, finite, above ``lo``.
        log: use a logarithmic scale; needs ``lo > 0``.
        default: the starting point; the middle of the scale unless given.
        name: see `choice`.
        when: see `choice`.

    Raises:
        SpaceError: for bounds that are not finite, or are in the wrong order.
    """
    for bound in (lo, hi, lo if default is None else default):
        if not is_number(plain(bound)) or abs(bound) > _LARGEST:
            raise SpaceError(f"real() takes finite numbers as bounds and default, got {bound!r}")
    start = None if default is None else float(default)
    return Real(low=float(lo), high=float(hi), log=log, default=start, name=name, when=when)


def optional(
    block: object,
    default: bool = False,
    name: str | None = None,
    when: Expression | None = None,
) -> OptionalBlock:
    """A block that may be there or not; absent, it passes its input on.

    Args:
        block: any block.
        default: True when the starting point has it.
        name: see `choice`.
        when: see `choice`; where it fails, the block is absent.

    Raises:
        SpaceError: when ``block`` is not a block.
    """
    return OptionalBlock(block=block, default=default, name=name, when=when)


def is_block(value: object) -> bool:
    """True for blocks, and for choices and options of blocks."""
    if isinstance(value, Choice):
        return value.of_blocks
    return isinstance(value, Block | OptionalBlock)


def is_integer(value: object) -> bool:
    """True for whole numbers; bools are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """True for finite numbers; bools are none."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def option_key(value: object) -> object:
    """What makes two options one: numbers by value, bools apart from numbers, others as written."""
    return value if is_number(value) else (type(value), repr(value))


def same_value(one: object, other: object) -> bool:
    """True when two options are one."""
    return option_key(one) == option_key(other)


def _identity(domain: Integer | Real | OptionalBlock) -> dict[str, object]:
    return {"name": domain.name, "when": domain.when}


def _check_options(options: tuple[object, ...], choice: Choice) -> None:
    blocks = [is_block(option) for option in options]
    if any(blocks) and not all(blocks):
        raise SpaceError(
            f"options are all blocks or all values, got both in {choice!r}; "
            "use optional(block) or L.identity() for 'nothing'"
        )
    seen: set[object] = set()
    for position, option in enumerate(options):
        if not (blocks[position] or isinstance(option, Expression | Spread) or is_literal(option)):
            raise SpaceError(
                f"option {position} is {option!r}: an option is a finite number, a string, a bool, "
                "None, a tuple of such, an expression or a block"
            )
        if option_key(option) in seen:
            raise SpaceError(f"option {option!r} stands twice in {choice!r}")
        seen.add(option_key(option))


def _check_bounds(kind: str, low: object, high: object, *, log: bool) -> None:
    assert isinstance(low, int | float) and isinstance(high, int | float)
    if kind == "integer" and max(abs(low), abs(high)) > 2**53:
        raise SpaceError("the bounds of integer() lie between -2**53 and 2**53")
    if low > high:
        raise SpaceError(f"{kind}({low}, {high}): the lower bound is above the upper one")
    if log and low <= 0:
        raise SpaceError(f"{kind}({low}, {high}, log=True): a logarithmic scale starts above 0")


def _check_default(kind: str, default: object, low: object, high: object) -> None:
    assert isinstance(low, int | float) and isinstance(high, int | float)
    if default is None:
        return
    if not is_number(default) or not low <= float(str(default)) <= high:
        raise SpaceError(f"default={default!r} is outside {kind}({low}, {high})")


def _check_condition(condition: object) -> None:
    if condition is not None and not isinstance(condition, Expression):
        raise SpaceError(
            f"when= takes a condition such as ref('width') > 1, got {condition!r}; "
            "only named decisions can be compared"
        )
