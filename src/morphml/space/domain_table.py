"""From domains to table entries: the fixed values, and the limits that depend on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from morphml.errors import SpaceError
from morphml.space.decisions import Decision, Kind, rounded
from morphml.space.domains import (
    Choice,
    Domain,
    Integer,
    OptionalBlock,
    Real,
    is_integer,
    is_number,
    same_value,
)
from morphml.space.expressions import Expression, Spread, evaluate
from morphml.space.guards import Codes
from morphml.space.values import Value, combined, environments, possible_values

Possible = Mapping[str, tuple[object, ...]]


def bounds(domain: Domain) -> tuple[Expression, ...]:
    """The expressions that limit a dependent domain; () for a fixed one."""
    if isinstance(domain, Choice):
        return tuple(option.of for option in domain.options if isinstance(option, Spread))
    if isinstance(domain, Integer):
        return tuple(b for b in (domain.low, domain.high) if isinstance(b, Expression))
    return ()


def describe(domain: Domain, path: str, labels: tuple[str, ...], possible: Possible) -> Decision:
    """The table entry of a domain; for a dependent one, over all values it can ever have.

    Raises:
        SpaceError: when a dependent domain cannot be listed, or is empty for some values.
    """
    try:
        match domain:
            case Choice():
                return _choice(domain, path, labels, possible)
            case OptionalBlock():
                return Decision(
                    path=path,
                    kind=Kind.CATEGORICAL,
                    options=(False, True),
                    high=1,
                    default=int(domain.default),
                    name=domain.name,
                )
            case Integer():
                return _integer(domain, path, possible)
            case Real():
                return _real(domain, path)
    except SpaceError as error:
        raise error if error.path else SpaceError(str(error), path=path) from None


def all_values(domain: Domain, decision: Decision, possible: Possible) -> tuple[object, ...]:
    """All values that expressions may read of a decision; empty for reals and endless integers."""
    if isinstance(domain, Choice) and not decision.dependent and not domain.of_blocks:
        values: list[object] = []
        for option in domain.options:
            if isinstance(option, Domain):
                inner = describe(option, decision.path, (), possible)
                values.extend(all_values(option, inner, possible))
            else:
                values.extend(possible_values(option, possible))
        return tuple(dict.fromkeys(values))
    if decision.options:
        return decision.options
    count = decision.cardinality
    if count is None or count > 100_000:
        return ()
    return tuple(range(int(decision.low), int(decision.high) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """Which codes of a dependent decision the earlier codes allow; remembered per combination."""

    reads: tuple[int, ...]
    limits: tuple[Value, ...]
    domain: Choice | Integer
    #: Code by option value, for choices.
    code_of: Mapping[object, int]
    #: Codes that are always allowed.
    always: frozenset[int]
    seen: dict[tuple[object, ...], Sequence[int]] = field(default_factory=dict)

    def allowed(self, codes: Codes) -> Sequence[int]:
        """The codes allowed, ascending."""
        key = tuple([codes[index] for index in self.reads])
        found = self.seen.get(key)
        if found is None:
            if len(self.seen) > 4096:
                self.seen.clear()
            found = self.seen[key] = self._computed(codes)
        return found

    def _computed(self, codes: Codes) -> Sequence[int]:
        values = [limit.of(codes, None) for limit in self.limits]
        if isinstance(self.domain, Integer):
            rest = iter(values)
            ends = [
                next(rest) if isinstance(bound, Expression) else bound
                for bound in (self.domain.low, self.domain.high)
            ]
            assert isinstance(ends[0], int) and isinstance(ends[1], int)
            return range(ends[0], ends[1] + 1)
        made = set(self.always)
        for value in values:
            made.update(self.code_of[item] for item in _items(value))
        return tuple(sorted(made))


def restriction(
    domain: Domain, decision: Decision, named: Mapping[str, Value]
) -> Restriction | None:
    """The rule of a dependent domain; None for a fixed one."""
    limits = tuple(combined(bound, named) for bound in bounds(domain))
    if not limits or not isinstance(domain, Choice | Integer):
        return None
    code_of = {option: code for code, option in enumerate(decision.options)}
    always = frozenset(
        code_of[option]
        for option in (domain.options if isinstance(domain, Choice) else ())
        if not isinstance(option, Spread)
    )
    return Restriction(
        reads=tuple(dict.fromkeys(i for limit in limits for i in limit.reads)),
        limits=limits,
        domain=domain,
        code_of=code_of,
        always=always,
    )


def _choice(domain: Choice, path: str, labels: tuple[str, ...], possible: Possible) -> Decision:
    dependent = bool(bounds(domain))
    if domain.of_blocks:
        options: tuple[object, ...] = labels
    elif dependent:
        options = _union(domain, possible)
    else:
        options = tuple(repr(o) if isinstance(o, Expression) else o for o in domain.options)
    numeric = all(is_number(option) for option in options)
    ordered = numeric if domain.ordered is None else domain.ordered
    default = 0
    if domain.default is not None:
        among = options if dependent else domain.options
        matches = [c for c, o in enumerate(among) if same_value(o, domain.default)]
        if not matches:
            raise SpaceError(f"default={domain.default!r} is not among the options {options}")
        default = matches[0]
    return Decision(
        path=path,
        kind=Kind.ORDINAL if ordered else Kind.CATEGORICAL,
        options=options,
        high=len(options) - 1,
        default=default,
        name=domain.name,
        dependent=dependent,
    )


def _union(domain: Choice, possible: Possible) -> tuple[object, ...]:
    values: dict[object, None] = {}
    for option in domain.options:
        if isinstance(option, Spread):
            values.update(dict.fromkeys(possible_values(option.of, possible)))
        elif isinstance(option, Expression):
            raise SpaceError(f"{option!r} cannot stand beside a starred expression in a choice")
        else:
            values[option] = None
    if all(is_number(value) for value in values):
        return tuple(sorted(values, key=_as_float))
    return tuple(values)


def _integer(domain: Integer, path: str, possible: Possible) -> Decision:
    dependent = bool(bounds(domain))
    lows = _whole_values(domain.low, possible)
    highs = _whole_values(domain.high, possible)
    if dependent:
        _check_never_empty(domain, possible)
    if domain.log and min(lows) < 1:
        raise SpaceError(f"{domain!r}: a logarithmic scale starts above 0, got {min(lows)}")
    return Decision(
        path=path,
        kind=Kind.INTEGER,
        low=min(lows),
        high=max(highs),
        log=domain.log,
        default=min(lows) if domain.default is None else domain.default,
        name=domain.name,
        dependent=dependent,
    )


def _check_never_empty(domain: Integer, possible: Possible) -> None:
    both = Spread(of=_pair(domain))
    for environment in environments(both, possible):
        low, high = evaluate(domain.low, environment), evaluate(domain.high, environment)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            given = ", ".join(f"{name}={value!r}" for name, value in environment.items())
            raise SpaceError(f"{domain!r} is empty for {given}: {low} is above {high}")


def _pair(domain: Integer) -> Expression:
    # Any expression that reads the names of both bounds.
    return domain.low <= domain.high  # type: ignore[operator,no-any-return]  # one is an expression


def _whole_values(bound: object, possible: Possible) -> list[int]:
    values = possible_values(bound, possible)
    for value in values:
        if not is_integer(value):
            raise SpaceError(f"a bound of integer() is {value!r}, from {bound!r}: not whole")
    return [value for value in values if isinstance(value, int)]


def _real(domain: Real, path: str) -> Decision:
    shape = Decision(path=path, kind=Kind.REAL, low=domain.low, high=domain.high, log=domain.log)
    default = shape.decode(0.5) if domain.default is None else rounded(domain.default)
    return Decision(
        path=path,
        kind=Kind.REAL,
        low=domain.low,
        high=domain.high,
        log=domain.log,
        default=min(max(default, domain.low), domain.high),
        name=domain.name,
    )


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _as_float(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)
