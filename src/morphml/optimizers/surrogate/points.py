"""Architectures as rows of numbers whose city-block distances mean something.

Binary columns hold what is there or not: the option of each categorical decision, or the labels of
a graph's neighbourhoods. Numeric columns hold places from 0 to 1 of ordered decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from morphml.graph import ModelGraph
from morphml.space import Architecture, SearchSpace
from morphml.space.decisions import Decision, Kind, Vector

Floats: TypeAlias = npt.NDArray[np.float64]
#: Indices of the binary columns that are 1, and all numeric columns.
Row: TypeAlias = tuple[Sequence[int], Sequence[float]]

Indices: TypeAlias = npt.NDArray[np.intp]

#: Rows that an encoder remembers at most.
_REMEMBERED = 4_096
#: Texts whose digests are remembered at most: networks of one space share most of them.
_LABELS = 50_000
#: Binary columns that labels or ways of a graph are hashed into.
GRAPH_COLUMNS = 256
#: Ways that go on from a node.
PATHS = 64
#: Rounds in which labels take in those of the nodes before them.
GRAPH_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How the members of one space become rows."""

    #: Numbers of columns.
    binary: int
    numeric: int
    encode: Callable[[Architecture], Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Encoded architectures, one a row."""

    #: Shape (n, b), 0 or 1.
    binary: Floats
    #: Shape (n, k), from 0 to 1.
    numeric: Floats

    def __len__(self) -> int:
        return len(self.binary)

    def take(self, rows: Sequence[int] | slice) -> Points:
        """Some of the rows."""
        return Points(binary=self.binary[rows], numeric=self.numeric[rows])

    def joined(self, others: Points) -> Points:
        """These rows and then the others."""
        return Points(
            binary=np.concatenate([self.binary, others.binary]),
            numeric=np.concatenate([self.numeric, others.numeric]),
        )

    def columns(self) -> Floats:
        """All columns side by side, shape (n, b + k)."""
        return np.concatenate([self.binary, self.numeric], axis=1)


def distances(one: Points, other: Points) -> Floats:
    """City-block distances, shape (n, m); two unequal options of one decision count 1.

    Cost: O(n m columns).
    """
    apart = one.binary.sum(axis=1)[:, None] + other.binary.sum(axis=1)[None, :]
    total: Floats = 0.5 * (apart - 2.0 * (one.binary @ other.binary.T))
    for column in range(one.numeric.shape[1]):
        total += np.abs(one.numeric[:, column, None] - other.numeric[None, :, column])
    return total


class Encoder:
    """Encodes the members of one space.

    Args:
        space: whose members.
        encoding: a key of ``ENCODINGS``.
    """

    def __init__(self, space: SearchSpace, encoding: str) -> None:
        self._encoding = ENCODINGS[encoding](space)
        #: Rows of late, by vector: candidates come again from one ask to the next.
        self._rows: dict[Vector, tuple[Indices, Sequence[float]]] = {}

    def __call__(self, architectures: Iterable[Architecture]) -> Points:
        """One row for each; O(decisions), or O(edges) of its graph."""
        rows = [self._row(architecture) for architecture in architectures]
        binary = np.zeros((len(rows), self._encoding.binary))
        numeric = np.zeros((len(rows), self._encoding.numeric))
        if rows:
            lengths = [len(columns) for columns, _ in rows]
            places = np.repeat(np.arange(len(rows)), lengths)
            binary[places, np.concatenate([columns for columns, _ in rows])] = 1.0
            numeric[:] = [numbers for _, numbers in rows]
        return Points(binary=binary, numeric=numeric)

    def _row(self, architecture: Architecture) -> tuple[Indices, Sequence[float]]:
        known = self._rows.get(architecture.vector)
        if known is None:
            if len(self._rows) >= _REMEMBERED:
                self._rows.clear()
            columns, numbers = self._encoding.encode(architecture)
            known = np.array(columns, dtype=np.intp), numbers
            self._rows[architecture.vector] = known
        return known


def _by_decisions(space: SearchSpace) -> Encoding:
    """The Hamming kernel's encoding: an option is equal or not, numbers lie near or far."""
    return _some_decisions(space.decisions, range(len(space.decisions)))


def _some_decisions(decisions: Sequence[Decision], places: Iterable[int]) -> Encoding:
    """The decisions at some places of the vector.

    A categorical one has a binary column for each option and one for being inactive; an ordered
    one has a numeric column, and a binary one that says whether it is active.
    """
    categorical: list[tuple[int, int, int]] = []
    ordered: list[tuple[int, int]] = []
    width = 0
    for place in places:
        if decisions[place].kind is Kind.CATEGORICAL:
            options = len(decisions[place].options)
            categorical.append((place, width, options))
            width += options + 1
        else:
            ordered.append((place, width))
            width += 1

    def encode(architecture: Architecture) -> Row:
        vector = architecture.vector
        columns = [
            start + (options if (code := vector[place]) is None else int(code))
            for place, start, options in categorical
        ]
        columns += [column for place, column in ordered if vector[place] is not None]
        return columns, [decisions[place].encode(vector[place]) for place, _ in ordered]

    return Encoding(binary=width, numeric=len(ordered), encode=encode)


def _by_places(space: SearchSpace) -> Encoding:
    """One number from 0 to 1 for each decision, as trees split them; inactive ones have defaults.

    Options of categorical decisions stand in their order.
    """
    decisions = space.decisions

    def encode(architecture: Architecture) -> Row:
        pairs = zip(decisions, architecture.vector, strict=True)
        return (), [decision.encode(code) for decision, code in pairs]

    return Encoding(binary=0, numeric=len(decisions), encode=encode)


def _by_graph(space: SearchSpace) -> Encoding:
    """Labels of all neighbourhoods in the canonical graph, hashed, beside the hyperparameters.

    A label of round r is the operations on all ways of length r that end in a node (Shervashidze
    et al., 2011, over predecessors): equal networks are equal points, whatever was decided.
    """
    return _of_graph(space, _labels)


def _by_path(space: SearchSpace) -> Encoding:
    """The ways from an input to an output, hashed, beside the hyperparameters (White et al., 2021).

    A column says whether the network has a way through these operations. Of the ways that meet in a
    node the ``PATHS`` shortest go on, since deep networks have more than can be counted.
    """
    return _of_graph(space, _paths)


def _of_graph(space: SearchSpace, features: Callable[[ModelGraph], set[int]]) -> Encoding:
    if not space.has_graph:
        return _by_decisions(space)
    places = [each.index for each in space.compiled.hyper if each.index is not None]
    hyper = _some_decisions(space.decisions, places)

    def encode(architecture: Architecture) -> Row:
        columns, numbers = hyper.encode(architecture)
        found = sorted(hyper.binary + column for column in features(architecture.canonical))
        return [*columns, *found], numbers

    return Encoding(binary=hyper.binary + GRAPH_COLUMNS, numeric=hyper.numeric, encode=encode)


def _labels(graph: ModelGraph) -> set[int]:
    labels = [f"{node.op}{node.attrs}" for node in graph.nodes]
    counts: dict[str, int] = {}
    found: set[int] = set()
    for step in range(GRAPH_ROUNDS):
        for label in labels:
            counts[label] = counts.get(label, 0) + 1
            found.add(_column(f"{step}/{counts[label]}/{label}"))
        labels = [
            _digest(label + "<" + ",".join(sorted(labels[i] for i in node.inputs)))
            for label, node in zip(labels, graph.nodes, strict=True)
        ]
    return found


def _paths(graph: ModelGraph) -> set[int]:
    #: Of each node (nodes before it, digest) of the ways from an input up to it, shortest first.
    ways: list[list[tuple[int, str]]] = []
    for node in graph.nodes:
        label = f"{node.op}{node.attrs}"
        before = {way for source in node.inputs for way in ways[source]} or {(0, "")}
        shortest = sorted(before)[:PATHS]
        ways.append([(length + 1, _digest(f"{label}<{way}")) for length, way in shortest])
    return {_column(way) for _, node in graph.outputs for _, way in ways[node]}


@lru_cache(_LABELS)
def _column(label: str) -> int:
    return int.from_bytes(blake2b(label.encode(), digest_size=4).digest(), "big") % GRAPH_COLUMNS


@lru_cache(_LABELS)
def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


#: Every encoding by the name used in settings.
ENCODINGS: Mapping[str, Callable[[SearchSpace], Encoding]] = {
    "decisions": _by_decisions,
    "graph": _by_graph,
    "path": _by_path,
    "places": _by_places,
}
