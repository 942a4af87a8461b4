"""The search space: a value that describes a set of architectures and answers questions on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from morphml.errors import ConstraintError, SpaceError
from morphml.graph.operation import Catalogue
from morphml.ids import digest
from morphml.space import membership, operators
from morphml.space.architecture import Architecture
from morphml.space.blocks import flat
from morphml.space.checking import check_members
from morphml.space.compiled import Compiled, compile_definition
from morphml.space.compose import cell
from morphml.space.constraints import REJECTIONS, Constraint
from morphml.space.decisions import Code, Decision, Vector
from morphml.space.definition import Definition, define
from morphml.space.membership import Difference, Membership
from morphml.space.size import Size, measured
from morphml.space.writing import written
from morphml.space.written import WrittenSpace

#: So many attempts are made at a child that differs from its parents.
_ATTEMPTS = 20


class SearchSpace(WrittenSpace):
    """A set of architectures: immutable, printable, comparable, hashable, readable from its text.

    Two spaces are equal when they are written alike. All randomness comes from the generator given.

    >>> from morphml.space import SearchSpace, choice, integer, layers as L, repeat
    >>> space = SearchSpace(
    ...     input=(4,),
    ...     layers=[repeat(L.dense(choice(8, 16)), times=integer(1, 2)), L.output(3)],
    ... )
    >>> [decision.path for decision in space.decisions]
    ['body/times', 'body/0/dense/units', 'body/1/dense/units']
    >>> print(space.size)
    6
    >>> member = space.member({"body/times": 2, "body/1/dense/units": 16})
    >>> member.params, member.shapes[-1]
    (235, (3,))
    >>> space.contains({"body/1/dense/units": 16}).reason
    'body/1/dense/units: 16 is given for a decision that is not active here: it is active when \
body/times > 1'
    >>> SearchSpace.from_text(repr(space)) == space
    True
    """

    __slots__ = ("_digest", "_size", "_text", "compiled", "definition")

    def __init__(  # noqa: PLR0913  (the parts of a space, all by keyword)
        self,
        *,
        input: object = None,
        inputs: Mapping[str, object] | None = None,
        layers: Iterable[object] = (),
        outputs: Mapping[str, object] | None = None,
        hyper: Mapping[str, object] | None = None,
        decisions: Mapping[str, object] | None = None,
        build: Callable[..., object] | str | None = None,
        constraints: object = (),
        name: str | None = None,
    ) -> None:
        """Define a space; it is checked at once, on its starting point and on sampled members.

        Args:
            input: the only input: its shape without the batch axis, or an `Input`.
            inputs: several inputs by name; the first starts the trunk, `join` reads any of them.
            layers: the blocks of the trunk.
            outputs: heads by name, each a block or a list of blocks on the trunk's end; without
                them the trunk's end is the only output.
            hyper: decisions (or constants) beside the network, such as the learning rate, by name.
            decisions: instead of all that: plain decisions by name, for ``build``.
            build: a function of those decisions' values, or its import path; may be absent.
            constraints: what every member obeys: texts, conditions, or functions that get the
                architecture and return a bool.
            name: for people only.

        Raises:
            SpaceError: whatever breaks a rule, with its path.
            ShapeError: shapes that do not fit in a member, with the path and the shapes.
            ConstraintError: a constraint that cannot be read.
        """
        definition = define(
            input=input,
            inputs=inputs,
            layers=layers,
            outputs=outputs,
            hyper=hyper,
            decisions=decisions,
            build=build,
            constraints=constraints,
            name=name,
        )
        self._set(definition)
        check_members(self.compiled)

    def _set(self, definition: Definition) -> None:
        #: What was written, brought to one form.
        self.definition = definition
        #: What was compiled from it.
        self.compiled: Compiled = compile_definition(definition)
        self._text: str | None = None
        self._digest: str | None = None
        self._size: Size | None = None

    # --- what it is ------------------------------------------------------------------------------

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions in their fixed order."""
        return self.compiled.table.decisions

    @property
    def has_graph(self) -> bool:
        """True when members have a model graph."""
        return self.compiled.network is not None

    @property
    def catalogue(self) -> Catalogue:
        """The operations of its graphs: the built-in ones and the user's."""
        return self.compiled.catalogue

    @property
    def custom(self) -> Mapping[str, object]:
        """The user's modules, objects or import paths, by name without ``custom:``."""
        return self.compiled.custom

    @property
    def digest(self) -> str:
        """Digest of the text form; stable for ever."""
        if self._digest is None:
            self._digest = digest(repr(self).encode())
        return self._digest

    @property
    def size(self) -> Size:
        """How many members there are, as distinct vectors; computed once, see `measured`."""
        if self._size is None:
            table = self.compiled.table
            allows = self._allows if self.compiled.constraints else None
            self._size = measured(table, lambda: membership.all_vectors(table), allows)
        return self._size

    # --- members ---------------------------------------------------------------------------------

    def default(self) -> Architecture:
        """The starting point: every decision's default.

        Where that breaks a constraint: the first member that a fixed sequence of draws finds.
        """
        start = Architecture(self, self.compiled.table.settled([None] * len(self.decisions)))
        if self._broken(start) is None:
            return start
        return self.sample(np.random.Generator(np.random.PCG64(0)))

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A random member.

        Every decision is drawn uniformly on its scale, whether others will make it inactive or not.

        Raises:
            ConstraintError: when 1,000 draws in a row broke a constraint; it names the constraint.
        """
        draw = self.compiled.table.draw
        if not self.compiled.constraints:
            return Architecture(self, draw(rng))
        return self._first_allowed(lambda: draw(rng))

    def architecture(self, vector: Sequence[Code]) -> Architecture:
        """The member with these codes, aligned with `decisions`.

        Raises:
            SpaceError: when it is no member's vector; the message says which decision and why.
        """
        table = self.compiled.table
        made = table.typed(vector)
        if made is None or made != table.settled(made):
            raise membership.vector_problem(table, tuple(vector))
        return Architecture(self, made)

    def member(self, values: Mapping[str, object]) -> Architecture:
        """The member with these values by path; what is not given takes its default.

        Raises:
            SpaceError: an unknown path, a value that its decision does not have, or one for a
                decision that is not active.
            ConstraintError: when the member breaks a constraint.
        """
        made = Architecture(self, membership.vector_of(self.compiled, values))
        broken = self._broken(made)
        if broken is not None:
            raise ConstraintError(
                f"the member with {dict(values)!r} breaks {broken.text!r}", constraint=broken.text
            )
        return made

    def members(self) -> Iterator[Architecture]:
        """Every member once, in the order of their vectors.

        Raises:
            SpaceError: when a real decision makes them uncountable.
        """
        for vector in membership.all_vectors(self.compiled.table):
            made = Architecture(self, vector)
            if self._allows(vector):
                yield made

    def contains(
        self, candidate: Architecture | Mapping[str, object] | Sequence[Code]
    ) -> Membership:
        """Whether something is a member, with the reason when it is not.

        Args:
            candidate: an architecture (of any space: judged by its values), values by path, or a
                vector.
        """
        return membership.judged(self, candidate)

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Members that differ in one decision, and in what depends on it; made one by one."""
        for vector in operators.neighbours(self.compiled.table, architecture.vector):
            if self._allows(vector):
                yield Architecture(self, vector)

    # --- vectors of numbers ----------------------------------------------------------------------

    def encode(self, architecture: Architecture) -> npt.NDArray[np.float64]:
        """Places in [0, 1], shape (n,) float64; inactive decisions have their default's place."""
        pairs = zip(self.decisions, architecture.vector, strict=True)
        return np.array([decision.encode(code) for decision, code in pairs], dtype=np.float64)

    def decode(self, places: npt.ArrayLike) -> Architecture:
        """The member at these places, shape (n,); outside of [0, 1] they are clipped.

        ``decode(encode(a))`` is ``a``. Codes that dependent domains do not allow are repaired. A
        constraint may be broken; see `contains`.

        Raises:
            SpaceError: another shape, or a place that is not finite.
        """
        given = np.asarray(places, dtype=np.float64)
        if given.shape != (len(self.decisions),):
            raise SpaceError(
                f"this space has {len(self.decisions)} decisions; decode() got {given.shape}"
            )
        pairs = zip(self.decisions, given.tolist(), strict=True)
        codes = [decision.decode(place) for decision, place in pairs]
        return Architecture(self, self.compiled.table.settled(codes))

    # --- operators -------------------------------------------------------------------------------

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """A member with one decision changed; the same only where there is no other.

        Raises:
            ConstraintError: when 1,000 changes in a row broke a constraint.
        """
        table, vector = self.compiled.table, architecture.vector
        if not self.compiled.constraints:
            for _ in range(_ATTEMPTS):
                made = operators.mutated(table, vector, rng)
                if made is None:
                    break
                if made != vector:
                    return Architecture(self, made)
            return architecture
        return self._first_allowed(lambda: operators.mutated(table, vector, rng) or vector)

    def crossover(
        self, one: Architecture, other: Architecture, rng: np.random.Generator
    ) -> Architecture:
        """A member with each decision from one of two; different from both where possible.

        Where the parents have no other child, one of them is mutated.
        """
        apart = sum(a != b for a, b in zip(one.vector, other.vector, strict=True))
        for _ in range(_ATTEMPTS if apart > 1 else 0):
            made = operators.crossed(self.compiled.table, one.vector, other.vector, rng)
            if made not in (one.vector, other.vector) and self._allows(made):
                return Architecture(self, made)
        for _ in range(_ATTEMPTS):
            parent = one if rng.random() < 0.5 else other
            child = self.mutate(parent, rng)
            if child is parent or child.vector not in (one.vector, other.vector):
                break
        return child

    def diff(self, one: Architecture, other: Architecture) -> tuple[Difference, ...]:
        """The decisions in which two members differ, in the space's order."""
        return membership.differences(self.decisions, one.vector, other.vector)

    # --- constraints -----------------------------------------------------------------------------

    def _broken(self, architecture: Architecture) -> Constraint | None:
        for constraint in self.compiled.constraints:
            if not constraint.holds(architecture):
                return constraint
        return None

    def _allows(self, vector: Vector) -> bool:
        return not self.compiled.constraints or self._broken(Architecture(self, vector)) is None

    def _first_allowed(self, draw: Callable[[], Vector]) -> Architecture:
        broken: Constraint | None = None
        for _ in range(REJECTIONS):
            made = Architecture(self, draw())
            broken = self._broken(made)
            if broken is None:
                return made
        assert broken is not None
        raise ConstraintError(
            f"the constraint {broken.text!r} rejected {REJECTIONS:,} draws in a row; loosen it, or "
            "narrow the choices that break it",
            constraint=broken.text,
        )

    # --- identity --------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SearchSpace):
            return NotImplemented
        return self is other or repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        if self._text is None:
            self._text = written(self.definition)
        return self._text

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.definition,)


def _restored(definition: Definition) -> SearchSpace:
    """A space from its definition, which was checked when it was first made."""
    space = SearchSpace.__new__(SearchSpace)
    space._set(definition)
    return space


def GraphSpace(  # noqa: PLR0913  (reads as the kind of space it makes)
    *,
    input: object,
    max_nodes: int,
    ops: Iterable[object],
    max_edges: int | None = None,
    head: object = (),
    hyper: Mapping[str, object] | None = None,
    constraints: object = (),
    name: str | None = None,
) -> SearchSpace:
    """The space of free graphs: up to ``max_nodes`` operations, joined in any acyclic way.

    It is a `SearchSpace` with one cell (``on="nodes"``), and is written as such. Decisions: the
    operation of each node and each possible edge; inactive where the graph does not use them.

    Args:
        input: the input's shape, or an `Input`.
        max_nodes: most operations; input and output are not counted.
        ops: what a node may be: blocks.
        max_edges: most edges, those from the input and to the output included; None: no limit.
        head: blocks behind the graph.
        hyper: see `SearchSpace`.
        constraints: see `SearchSpace`.
        name: see `SearchSpace`.

    >>> from morphml.space import layers as L
    >>> space = GraphSpace(input=(4,), max_nodes=3, max_edges=5, ops=[L.relu(), L.tanh()])
    >>> print(space.size)
    217
    """
    graph = cell(
        on="nodes", nodes=max_nodes, ops=ops, max_edges=max_edges, match="project", name="graph"
    )
    return SearchSpace(
        input=input,
        layers=[graph, *flat(head)],
        hyper=hyper,
        constraints=constraints,
        name=name,
    )
