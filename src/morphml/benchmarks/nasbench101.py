"""NAS-Bench-101: 423,624 published cells, read from the file as it is published.

The file is a TFRecord of JSON arrays (hash, epochs, adjacency, operations, metrics), the metrics a
``ModelMetrics`` message of protocol buffers. Neither TensorFlow nor protobuf is needed to read it.
"""

from __future__ import annotations

import base64
import json
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from morphml.benchmarks.problem import Measure, Problem
from morphml.benchmarks.wire import doubles, fields
from morphml.errors import CallerError
from morphml.ids import digest
from morphml.search.objectives import Direction, Objective
from morphml.space import Architecture
from morphml.space.ready import nasbench101 as space_of

#: Epochs of the full training.
FULL = 108
#: Inner nodes of a cell.
_INNER = 5
#: The published operations as the ready-made space calls them.
_OPERATIONS = {
    "conv3x3-bn-relu": "conv3x3",
    "conv1x1-bn-relu": "conv1x1",
    "maxpool3x3": "maxpool3x3",
}
#: Fields of ``EvaluationData`` and the place of the final one among a training's evaluations.
_VALIDATION, _TEST, _FINAL = 4, 5, 2
#: Operations by node, and edges as (from, to) with from < to; the last node is the output.
Cell: TypeAlias = tuple[Sequence[str], Sequence[tuple[int, int]]]


class Cells:
    """Results by what a cell computes.

    Args:
        results: ``key_of_cell`` to metrics.
    """

    def __init__(self, results: Mapping[str, Mapping[str, float]]) -> None:
        self._results = dict(results)

    def __len__(self) -> int:
        """How many different cells have results."""
        return len(self._results)

    def __call__(self, architecture: Architecture, /) -> Mapping[str, float] | None:
        """The metrics; None where the cell is not in the file."""
        key = self.network(architecture)
        return None if key is None else self._results.get(key)

    def network(self, architecture: Architecture, /) -> str | None:
        """The key of the cell; None where nothing leads from its input to its output."""
        return key_of_cell(cell_of(architecture))

    @cached_property
    def digest(self) -> str:
        """Digest of all keys and values."""
        return digest(json.dumps(self._results, sort_keys=True).encode())


def nasbench101(path: str | Path, protocol: str = "direct", *, epochs: int = 12) -> Problem:
    """NAS-Bench-101 as a problem over the ready-made space.

    Args:
        path: ``nasbench_full.tfrecord`` or ``nasbench_only108.tfrecord``; the whole file is read,
            which takes minutes.
        protocol: ``direct``: a search sees the mean test accuracy after 108 epochs. ``cheap``: it
            sees the mean validation accuracy after ``epochs``, and is judged by the former.
        epochs: 4, 12, 36 or 108, as far as the file has them.

    Raises:
        CallerError: the file is not there, or is not of this format.
    """
    if protocol not in ("direct", "cheap"):
        raise CallerError(f"NAS-Bench-101: protocol 'direct' or 'cheap', got {protocol!r}")
    file = Path(path)
    if not file.is_file():
        raise CallerError(f"{file}: there is no such file; give nasbench_only108.tfrecord")
    seen = f"val_{epochs}"
    sums = _summed(file, {"test_108": (FULL, _TEST), seen: (epochs, _VALIDATION)})
    wanted = ["test_108"] if protocol == "direct" else [seen, "test_108"]
    results = {
        key: {name: found[name][0] / found[name][1] for name in wanted}
        for key, found in sums.items()
        if all(found[name][1] for name in wanted)
    }
    if not results:
        raise CallerError(f"{file}: holds no cell with {' and '.join(wanted)}")
    measures = [
        Measure(
            objective=Objective(name=name, direction=Direction.MAX),
            unit="points",
            best=max(each[name] for each in results.values()),
        )
        for name in wanted
    ]
    return Problem(
        name=f"nasbench101/cifar10/{protocol}",
        space=space_of(),
        measures=(measures[0],),
        answer=measures[1] if protocol == "cheap" else None,
        look_up=Cells(results),
        cost=f"one training of {FULL if protocol == 'direct' else epochs} epochs",
        source="Ying et al., 2019",
    )


def _summed(file: Path, wanted: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, list[float]]]:
    """For each cell and metric: the sum over the repeated trainings in %, and their number."""
    keys: dict[str, str | None] = {}
    sums: dict[str, dict[str, list[float]]] = {}
    try:
        for record in records(file):
            name, epochs, adjacency, operations, packed = json.loads(record)
            if epochs not in {each for each, _ in wanted.values()}:
                continue
            if name not in keys:
                keys[name] = key_of_cell(_published(adjacency, operations.split(",")))
            key = keys[name]
            if key is None:
                continue
            mine = sums.setdefault(key, {metric: [0.0, 0] for metric in wanted})
            final = list(fields(base64.b64decode(packed), 1))[_FINAL]
            for metric, (at, number) in wanted.items():
                if at == epochs:
                    mine[metric][0] += 100.0 * doubles(final)[number]
                    mine[metric][1] += 1
    except (ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        raise CallerError(f"{file}: is no NAS-Bench-101 file: {error!r}") from error
    return sums


def records(file: Path) -> Iterator[bytes]:
    """The records of a TFRecord file; their checksums are passed over.

    Raises:
        ValueError: the file ends within a record.
    """
    with file.open("rb") as stream:
        while head := stream.read(12):
            if len(head) < 12:
                raise ValueError("it ends within a record")
            (length,) = struct.unpack("<Q", head[:8])
            body = stream.read(length + 4)
            if len(body) < length + 4:
                raise ValueError("it ends within a record")
            yield body[:length]


def cell_of(architecture: Architecture) -> Cell:
    """The cell that the decisions of a member of the ready-made space describe.

    Decisions about nodes that are not built are not active: such a node has no operation here.
    """
    values = architecture.decisions
    last = _INNER + 1
    names = ["input", *(str(values.get(f"cell/node_{n}/op")) for n in range(1, last)), "output"]
    edges = [
        (a, b)
        for b in range(1, last + 1)
        for a in range(b)
        if values.get(f"cell/edge_{a}_{'output' if b == last else b}")
    ]
    return names, edges


def _published(adjacency: str, operations: Sequence[str]) -> Cell:
    size = len(operations)
    if size * size != len(adjacency):
        raise ValueError(f"{size} operations and {len(adjacency)} bits")
    names = [_OPERATIONS.get(name, name) for name in operations]
    edges = [(a, b) for a in range(size) for b in range(size) if adjacency[a * size + b] == "1"]
    return names, edges


def key_of_cell(cell: Cell) -> str | None:
    """A text that cells share when they compute the same; None where nothing is computed.

    Nodes that lie on no way from the input to the output are left out. Each node's colour becomes
    that of its own and its neighbours', as often as there are nodes.

    Source: Weisfeiler and Leman, 1968.
    """
    names, edges = cell
    ahead = _reached(0, lambda node: [b for a, b in edges if a == node])
    behind = _reached(len(names) - 1, lambda node: [a for a, b in edges if b == node])
    kept = sorted(ahead & behind)
    if not kept:
        return None
    inner = [(a, b) for a, b in edges if a in kept and b in kept]
    colours = {node: names[node] for node in kept}
    for _ in kept:
        colours = {
            node: digest(
                repr(
                    (
                        colours[node],
                        sorted(colours[a] for a, b in inner if b == node),
                        sorted(colours[b] for a, b in inner if a == node),
                    )
                ).encode()
            )
            for node in kept
        }
    return digest(repr(sorted(Counter(colours.values()).items())).encode())


def _reached(start: int, following: Callable[[int], Sequence[int]]) -> set[int]:
    reached, left = {start}, [start]
    while left:
        for node in following(left.pop()):
            if node not in reached:
                reached.add(node)
                left.append(node)
    return reached
