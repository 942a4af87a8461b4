"""The compiler's first half: declaring decisions and compiling values.

Walking a space in its order, every open choice is declared once; each place where it stands widens
its guard. The second half, `block_plan`, turns blocks into a lowering plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from morphml.errors import SpaceError
from morphml.graph.operation import Operation
from morphml.hints import did_you_mean
from morphml.space.decisions import Code, Decision
from morphml.space.domain_table import Restriction, all_values, bounds, describe, restriction
from morphml.space.domains import Choice, Domain, is_block
from morphml.space.expressions import Comparison, Expression, Ref
from morphml.space.guards import (
    ALWAYS,
    Codes,
    Conjunction,
    Guard,
    Holds,
    Is,
    implied,
    text,
    widened,
)
from morphml.space.naming import joined
from morphml.space.places import Place
from morphml.space.table import Group, Single, Step, Table
from morphml.space.values import Value, combined, constant, leaves, names_read, reads_channels

#: A space has at most so many blocks and decisions, all copies counted: reading one never hangs.
PARTS = 20_000


class Entry:
    """A decision while the space is compiled: its guard may still widen."""

    __slots__ = ("decision", "domain", "guard", "limits", "value")

    def __init__(
        self, domain: Domain, decision: Decision, guard: Guard, limits: Restriction | None
    ) -> None:
        self.domain = domain
        self.decision = decision
        self.guard = guard
        self.limits = limits
        self.value = constant(None)

    def simplify(self, guards: Sequence[Guard]) -> None:
        """Drop terms that are implied: what a decision needs to be active, its readers need too."""
        self.guard = tuple(
            tuple(term for term in terms if not implied(term, terms, guards))
            for terms in self.guard
        )

    def finished(self) -> Decision:
        """The decision with its whole condition."""
        return replace(self.decision, condition=text(self.guard))

    def step(self, index: int, decision: Decision) -> Single:
        """The table's step."""
        return Single(
            index=index,
            decision=decision,
            guard=ALWAYS if () in self.guard else self.guard,
            allowed=None if self.limits is None else self.limits.allowed,
            allowed_reads=() if self.limits is None else self.limits.reads,
        )


class Compiler:
    """Collects the decisions of one space; used once and thrown away."""

    def __init__(self, standing: frozenset[str]) -> None:
        """Start with nothing.

        Args:
            standing: names of decisions that are used somewhere in the space, conditions apart.
        """
        self.standing = standing
        self.entries: list[Entry] = []
        self.by_path: dict[str, int] = {}
        #: Values of named decisions, for expressions.
        self.named: dict[str, Value] = {}
        #: All values that a named decision can have; empty for reals.
        self.possible: dict[str, tuple[object, ...]] = {}
        self.groups: list[tuple[tuple[int, ...], Callable[[Guard], Group]]] = []
        self.slots = 0
        self.parts_made = 0
        #: The choice among the operations of the cell at a path.
        self.op_choices: dict[str, Choice] = {}
        #: Named parts used at several places: name -> how the part is written.
        self.parts: dict[str, str] = {}
        #: The user's operations by node op.
        self.operations: dict[str, Operation] = {}
        #: By node op: the user's module first, then what else tells it from others of one name.
        self.modules: dict[str, tuple[object, ...]] = {}

    # --- decisions -------------------------------------------------------------------------------

    def declare(self, domain: Domain, path: str, place: Place, labels: tuple[str, ...] = ()) -> int:
        """The index of the decision for ``domain`` at ``path``, declared or met again.

        Args:
            domain: the open choice.
            path: its path, unless it has a name.
            place: where it stands.
            labels: for choices of blocks, what the options are called.

        Raises:
            SpaceError: one name for two domains, two decisions with one path, a condition that
                reads a later decision.
        """
        where = path
        path = domain.name or path
        guard = place.guard
        if domain.when is not None:
            guard = (*guard, *self.condition(domain.when, where, place))
        known = self.by_path.get(path)
        if known is not None:
            entry = self.entries[known]
            self._check_same(entry, domain, where, place)
            entry.guard = widened(entry.guard, guard)
            return known
        self.grow(path)
        entry = self._entry(domain, path, place, guard, labels)
        index = len(self.entries)
        self.by_path[path] = index
        self.entries.append(entry)
        entry.value = self._option_value(index, domain, entry.decision, path, place)
        if domain.name is not None:
            self.named[domain.name] = entry.value
            self.possible[domain.name] = all_values(domain, entry.decision, self.possible)
        return index

    def _entry(
        self, domain: Domain, path: str, place: Place, guard: Conjunction, labels: tuple[str, ...]
    ) -> Entry:
        for bound in bounds(domain):
            self.read(bound, path, place)
        decision = describe(domain, path, labels, self.possible)
        return Entry(domain, decision, (guard,), restriction(domain, decision, self.named))

    def _check_same(self, entry: Entry, domain: Domain, where: str, place: Place) -> None:
        if domain.name is None and not place.revisit:
            raise SpaceError(
                "two decisions have this path; give one of the blocks around them a name=",
                path=entry.decision.path,
            )
        if entry.domain is not domain and repr(entry.domain) != repr(domain):
            raise SpaceError(
                f"the name {domain.name!r} stands for {entry.domain!r} and for {domain!r}; one "
                "name is one decision: make the domains equal or rename one",
                path=where,
            )

    # --- values ----------------------------------------------------------------------------------

    def value(self, value: object, path: str, place: Place) -> Value:
        """The compiled form of an argument at ``path``: plain value, expression or open choice."""
        if isinstance(value, Domain):
            if is_block(value):
                raise SpaceError(f"takes a value, got the block {value!r}", path=path)
            return self.entries[self.declare(value, path, place)].value
        if isinstance(value, Expression):
            return self.read(value, path, place)
        return constant(value)

    def read(self, expression: object, path: str, place: Place, *, uses: bool = True) -> Value:
        """The compiled form of an expression over earlier decisions.

        Args:
            expression: what is read.
            path: where it stands, for errors.
            place: where it stands.
            uses: True: what is read counts as used here, so it is active where this place is.

        Raises:
            SpaceError: a decision that is decided later, or that does not exist.
        """
        for leaf in leaves(expression):
            if isinstance(leaf, Domain | Ref):
                self._reach(leaf, expression, path, place, uses=uses)
        return combined(expression, self.named)

    def _reach(
        self, leaf: Domain | Ref, expression: object, path: str, place: Place, *, uses: bool
    ) -> None:
        name = leaf.name
        if name is None:
            raise SpaceError(f"{leaf!r} needs a name= to be part of {expression!r}", path=path)
        if name in self.named:
            entry = self.entries[self.by_path[name]]
            if isinstance(leaf, Domain):
                self._check_same(entry, leaf, path, place)
            if uses:
                entry.guard = widened(entry.guard, place.guard)
            return
        if uses and isinstance(leaf, Domain):
            self.declare(leaf, name, place)
            return
        if name in self.standing:
            raise SpaceError(
                f"{expression!r} reads {name!r}, which is decided later; conditions and "
                "expressions may read earlier decisions only",
                path=path,
            )
        if isinstance(leaf, Ref):
            hint = did_you_mean(name, {*self.named, *self.standing})
            raise SpaceError(f"there is no decision named {name!r}{hint}", path=path)
        self.declare(leaf, name, place)

    def condition(self, expression: Expression, path: str, place: Place) -> Conjunction:
        """A ``when=`` as a guard's terms."""
        if reads_channels(expression):
            raise SpaceError("a condition cannot read channels()", path=path)
        self.read(expression, path, place, uses=False)
        indices = {name: self.by_path[name] for name in names_read(expression)}
        value = combined(expression, self.named, indices)
        reads = tuple(dict.fromkeys((*indices.values(), *value.reads)))

        def test(codes: Codes) -> bool:
            return bool(value.of(codes, None))

        return (Holds(reads=reads, test=test, text=repr(expression)),)

    def _option_value(
        self, index: int, domain: Domain, decision: Decision, path: str, place: Place
    ) -> Value:
        """How the decision's value is read from codes; an inactive one has its default's."""
        default = decision.default
        if not decision.options:
            return Value((index,), lambda codes, _c: _or(codes[index], default))
        options = domain.options if isinstance(domain, Choice) else ()
        if not any(isinstance(o, Expression) for o in options) or is_block(domain):
            table = decision.options
            return Value((index,), lambda codes, _c: table[int(_or(codes[index], default))])
        parts = []
        for code, option in enumerate(options):
            term = self.equals(index, (code,))
            parts.append(self.value(option, joined(path, code), place.under(term)))
        reads = tuple(dict.fromkeys((index, *(i for part in parts for i in part.reads))))
        return Value(reads, lambda codes, c: parts[int(_or(codes[index], default))].of(codes, c))

    def decision(self, domain: Domain, path: str) -> Decision:
        """The declared decision of a domain that stands at ``path``."""
        return self.entries[self.by_path[domain.name or path]].decision

    # --- guards and the end ----------------------------------------------------------------------

    def equals(self, index: int, codes: tuple[int, ...]) -> Is:
        """The term that a decision has one of these codes."""
        decision = self.entries[index].decision
        shown = [repr(decision.options[code] if decision.options else code) for code in codes[:6]]
        what = shown[0] if len(codes) == 1 else f"one of {', '.join(shown)}"
        joint = "==" if len(codes) == 1 else "is"
        return Is(index=index, codes=frozenset(codes), text=f"{decision.path} {joint} {what}")

    def more_than(self, times: object, bound: int, value: Value) -> Conjunction:
        """The terms for ``times > bound``, where ``times`` is a repeat's count."""
        if isinstance(times, Domain) and len(value.reads) == 1:
            index = value.reads[0]
            decision = self.entries[index].decision
            if not decision.options:
                codes = tuple(range(max(bound + 1, int(decision.low)), int(decision.high) + 1))
                everything = decision.low > bound
            else:
                codes = tuple(c for c, o in enumerate(decision.options) if _whole(o) > bound)
                everything = len(codes) == len(decision.options)
            if everything:
                return ()
            term = Is(index=index, codes=frozenset(codes), text=f"{decision.path} > {bound}")
            return (term,)
        if isinstance(times, Expression):
            comparison = Comparison(sign=">", left=times, right=bound)

            def test(codes: Codes) -> bool:
                found = value.of(codes, None)
                return isinstance(found, int) and found > bound

            return (Holds(reads=value.reads, test=test, text=repr(comparison)),)
        return ()

    def grow(self, path: str) -> None:
        """Count one more block or decision.

        Raises:
            SpaceError: when a space has more than `PARTS` of them.
        """
        self.parts_made += 1
        if self.parts_made > PARTS:
            raise SpaceError(
                f"this space has more than {PARTS:,} blocks and decisions, copies counted; use "
                "fewer copies or smaller cells",
                path=path,
            )

    def new_slot(self) -> int:
        """A key that no other tap has."""
        self.slots += 1
        return self.slots

    def group(self, indices: tuple[int, ...], make: Callable[[Guard], Group]) -> None:
        """Let a group settle these decisions; a group met again is the same one."""
        if all(known != indices for known, _ in self.groups):
            self.groups.append((indices, make))

    def part(self, name: str, written: str, path: str) -> bool:
        """Register a named part (cell, shared block); True when it was used before.

        Raises:
            SpaceError: when the name stands for something else already.
        """
        before = self.parts.setdefault(name, written)
        if before is not written and before != written:
            raise SpaceError(
                f"the name {name!r} stands for {before} and for {written}; one name is one part",
                path=path,
            )
        return before is not written

    def operations_of(self, path: str, ops: tuple[object, ...]) -> Choice:
        """The choice among a cell's operations: one value for all cells that share decisions."""
        if path not in self.op_choices:
            self.op_choices[path] = Choice(options=ops)
        return self.op_choices[path]

    def table(self) -> Table:
        """The finished decision table."""
        guards = [entry.guard for entry in self.entries]
        for entry in self.entries:
            entry.simplify(guards)
        decisions = [entry.finished() for entry in self.entries]
        grouped = {index for indices, _ in self.groups for index in indices}
        groups = [make(self._guard(indices[0])) for indices, make in self.groups]
        singles: list[Step] = [
            entry.step(index, decisions[index])
            for index, entry in enumerate(self.entries)
            if index not in grouped
        ]
        return Table(decisions, [*singles, *groups])

    def _guard(self, index: int) -> Guard:
        guard = self.entries[index].guard
        return ALWAYS if () in guard else guard


def _or(code: Code, default: int | float) -> int | float:
    return default if code is None else code


def _whole(option: object) -> int:
    return option if isinstance(option, int) else 0
