"""Expressions over named decisions: arithmetic, comparisons, `round_to`, `divisors`.

An expression is a value. It may be a layer's argument (``width * 32``), part of a domain
(``choice(*divisors(width))``), a condition (``when=width > 1``) or a constraint. Reading a decision
that is not active gives None; arithmetic with None is None, and a comparison with None is false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from morphml.errors import SpaceError
from morphml.space.form import Literal, call, check_name

#: Values of named decisions (and of ``params``, ``flops`` ... in constraints) by name.
Environment: TypeAlias = Mapping[str, object]
#: What an operand may be: an expression or a plain value.
Operand: TypeAlias = "Expression | Literal"

ARITHMETIC: dict[str, Callable[[object, object], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
COMPARISONS: dict[str, Callable[[Any, Any], object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


#: The largest number whose divisors are listed.
DIVISIBLE = 1_000_000


class Expression:
    """Abstract: anything that has a value once named decisions have theirs; it has no state.

    ``a == b`` makes a comparison, a value of the space language. In a boolean context such an
    equality says whether both sides are written alike; other comparisons have no truth value.
    """

    __slots__ = ()

    def __add__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="+", left=self, right=other)

    def __radd__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="+", left=other, right=self)

    def __sub__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="-", left=self, right=other)

    def __rsub__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="-", left=other, right=self)

    def __mul__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="*", left=self, right=other)

    def __rmul__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="*", left=other, right=self)

    def __truediv__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="/", left=self, right=other)

    def __rtruediv__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="/", left=other, right=self)

    def __floordiv__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="//", left=self, right=other)

    def __rfloordiv__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="//", left=other, right=self)

    def __mod__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="%", left=self, right=other)

    def __rmod__(self, other: Operand) -> Arithmetic:
        return Arithmetic(sign="%", left=other, right=self)

    def __lt__(self, other: Operand) -> Comparison:
        return Comparison(sign="<", left=self, right=other)

    def __le__(self, other: Operand) -> Comparison:
        return Comparison(sign="<=", left=self, right=other)

    def __gt__(self, other: Operand) -> Comparison:
        return Comparison(sign=">", left=self, right=other)

    def __ge__(self, other: Operand) -> Comparison:
        return Comparison(sign=">=", left=self, right=other)

    def __eq__(self, other: object) -> Comparison:  # type: ignore[override]  # builds a condition
        return Comparison(sign="==", left=self, right=other)

    def __ne__(self, other: object) -> Comparison:  # type: ignore[override]  # builds a condition
        return Comparison(sign="!=", left=self, right=other)

    def __and__(self, other: Expression) -> Logic:
        return Logic(sign="&", operands=(self, other))

    def __or__(self, other: Expression) -> Logic:
        return Logic(sign="|", operands=(self, other))

    def __invert__(self) -> Logic:
        return Logic(sign="~", operands=(self,))

    def __bool__(self) -> bool:
        raise SpaceError(
            f"{self!r} has no value before a member of the space is chosen; "
            "write conditions with &, | and ~, and give them to when= or constraints="
        )

    def __iter__(self) -> Iterator[Spread]:
        # `choice(*divisors(width))`: what is unpacked stays one marker until values are known.
        return iter((Spread(of=self),))

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Ref(Expression):
    """A decision, or a computed figure such as ``params``, read by its name."""

    name: str

    def __repr__(self) -> str:
        return call("ref", (self.name,), {})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Channels(Expression):
    """The channel count of what enters the layer: the first axis, or the last of (t, d) shapes."""

    def __repr__(self) -> str:
        return "channels()"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Arithmetic(Expression):
    """``left sign right`` with one of ``+ - * / // %``."""

    sign: str
    left: object
    right: object

    def __post_init__(self) -> None:
        _check_operands(self.left, self.right)

    def __repr__(self) -> str:
        return f"{_wrapped(self.left)} {self.sign} {_wrapped(self.right)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison(Expression):
    """``left sign right`` with one of ``== != < <= > >=``; its value is a bool."""

    sign: str
    left: object
    right: object

    def __repr__(self) -> str:
        return f"{_wrapped(self.left)} {self.sign} {_wrapped(self.right)}"

    def __bool__(self) -> bool:
        # Lets tuples, sets and dicts of expressions work: equality means "written alike".
        if self.sign == "==":
            return type(self.left) is type(self.right) and repr(self.left) == repr(self.right)
        if self.sign == "!=":
            return type(self.left) is not type(self.right) or repr(self.left) != repr(self.right)
        return Expression.__bool__(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Logic(Expression):
    """``a & b``, ``a | b`` or ``~a`` over conditions."""

    sign: str
    operands: tuple[object, ...]

    def __repr__(self) -> str:
        if self.sign == "~":
            return f"~{_wrapped(self.operands[0])}"
        return f" {self.sign} ".join(_wrapped(operand) for operand in self.operands)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Call(Expression):
    """``round_to(x, m)``, ``divisors(x)``: a function of the short list `FUNCTIONS`."""

    function: str
    arguments: tuple[object, ...]

    def __repr__(self) -> str:
        return call(self.function, self.arguments, {})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Spread:
    """``*divisors(width)`` among the options of a choice."""

    of: Expression

    def __repr__(self) -> str:
        return f"*{self.of!r}"


def ref(name: str) -> Ref:
    """The decision called ``name``, defined earlier in the space; in a constraint also a figure.

    Raises:
        SpaceError: when the name is not an identifier.
    """
    check_name(name, of="a decision")
    return Ref(name=name)


def channels() -> Channels:
    """The number of channels at the place where it stands; for arguments of layers and cells."""
    return Channels()


def round_to(value: Operand, multiple: Operand) -> Call:
    """The multiple of ``multiple`` nearest to ``value``, never below ``multiple``; ties go up.

    >>> evaluate(round_to(ref("width") * 30, 8), {"width": 1.5})
    48
    """
    return Call(function="round_to", arguments=(value, multiple))


def divisors(value: Operand) -> Call:
    """All divisors of ``value``, ascending; starred in a choice: ``choice(*divisors(n))``.

    >>> evaluate(divisors(12), {})
    (1, 2, 3, 4, 6, 12)
    """
    return Call(function="divisors", arguments=(value,))


def _shortened(value: object) -> str:
    # Python refuses to write integers of more than some thousand digits.
    huge = isinstance(value, int) and value.bit_length() > 200
    return "a number of more than 60 digits" if huge else repr(value)


def round_number(value: float, multiple: float) -> float:
    """What `round_to` evaluates to; an int when ``multiple`` is one."""
    steps = max(1, int(value / multiple + 0.5))
    return steps * multiple


def divisors_of(value: float) -> tuple[int, ...]:
    """What `divisors` evaluates to, ascending; O(sqrt(value)), so there is a limit to the value."""
    if not isinstance(value, int) or not 1 <= value <= DIVISIBLE:
        raise SpaceError(
            f"divisors() needs a whole number from 1 to {DIVISIBLE:,}, got {_shortened(value)}"
        )
    small = [d for d in range(1, int(value**0.5) + 1) if value % d == 0]
    return tuple(sorted({*small, *(value // d for d in small)}))


#: The functions that may be called in expressions.
FUNCTIONS: dict[str, Callable[..., object]] = {"round_to": round_number, "divisors": divisors_of}


def named_decision(value: object) -> str | None:
    """The name by which ``value`` reads a decision: a `Ref`, or a domain with a name; else None."""
    name = getattr(value, "name", None)
    return name if isinstance(value, Expression) and isinstance(name, str) else None


def evaluate(value: object, environment: Environment) -> object:
    """The value of an expression (or of a plain value, itself) where names have these values.

    Raises:
        SpaceError: for an operation that its operands do not allow, such as a division by zero.
    """
    name = named_decision(value)
    if name is not None:
        return environment.get(name)
    match value:
        case Arithmetic() | Comparison():
            return _binary(value, environment)
        case Logic():
            return _logic(value, environment)
        case Call():
            arguments = [evaluate(argument, environment) for argument in value.arguments]
            if any(argument is None for argument in arguments):
                return None
            return _applied(value, FUNCTIONS[value.function], arguments)
        case Channels():
            return environment.get("channels()")
        case _:
            return value


def _binary(value: Arithmetic | Comparison, environment: Environment) -> object:
    left, right = evaluate(value.left, environment), evaluate(value.right, environment)
    if isinstance(value, Comparison):
        if left is None or right is None:
            return False
        return _applied(value, COMPARISONS[value.sign], [left, right])
    if left is None or right is None:
        return None
    return _applied(value, ARITHMETIC[value.sign], [left, right])


def _logic(value: Logic, environment: Environment) -> bool:
    results = (bool(evaluate(operand, environment)) for operand in value.operands)
    if value.sign == "&":
        return all(results)
    if value.sign == "|":
        return any(results)
    return not next(results)


def _applied(value: Expression, function: Callable[..., object], arguments: list[object]) -> object:
    try:
        return function(*arguments)
    except (TypeError, ZeroDivisionError, OverflowError, ValueError) as error:
        given = ", ".join(map(repr, arguments))
        raise SpaceError(f"{value!r} cannot be computed for {given}: {error}") from error


def _check_operands(*operands: object) -> None:
    for operand in operands:
        if isinstance(operand, Expression):
            if hasattr(operand, "name") and getattr(operand, "name", None) is None:
                raise SpaceError(
                    f"{operand!r} needs a name= before it can be part of an expression"
                )
        elif not isinstance(operand, int | float | str):
            raise SpaceError(f"{operand!r} cannot be part of an expression")


def _wrapped(operand: object) -> str:
    nested = isinstance(operand, Arithmetic | Comparison | Logic)
    return f"({operand!r})" if nested else repr(operand)
