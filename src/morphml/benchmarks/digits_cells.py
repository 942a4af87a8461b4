"""The package's own table: every network of a small cell space, trained on digits.

``morphml bench make-table`` made the file: each of 1,011 networks was trained three times for 12
epochs on a third of scikit-learn's handwritten digits (UCI, Alpaydin and Kaynak, 1998; CC BY 4.0),
and scored on the second and the last third after every epoch.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from morphml.benchmarks.cell_table import CellTable, TableCurves
from morphml.benchmarks.problem import Problem
from morphml.benchmarks.rows import Rows
from morphml.benchmarks.table import measure, with_front
from morphml.errors import CallerError
from morphml.search.objectives import Direction, Objective
from morphml.space import Architecture, SearchSpace, choice
from morphml.space import layers as L
from morphml.space.blocks import Block
from morphml.space.compose import cell, sequence
from morphml.space.expressions import channels

#: What a search may see.
PROTOCOLS = ("direct", "validation", "cheap", "size")
#: Epochs that the protocol ``cheap`` sees where it does not say how many.
_CHEAP = 3
#: Channels of the cell.
_WIDTH = 8
_MAX = Direction.MAX


def digits_cells_space() -> SearchSpace:
    """One cell of four nodes between a stem and a head: 4,096 cells, 1,011 different networks.

    Each of the six edges carries a 3x3 or a 1x1 convolution (ReLU, convolution, batch norm),
    identity, or zero. The stem halves the 8 x 8 image, so that a training takes a fraction of a
    second.
    """
    searched = cell(
        on="edges",
        nodes=3,
        ops=[_convolution(3), _convolution(1), L.identity(), L.zero()],
        merge="last",
        name="cell",
    )
    return SearchSpace(
        input=(1, 8, 8),
        layers=[
            L.conv2d(_WIDTH, 3, 2, bias=False),
            L.batch_norm(),
            searched,
            L.batch_norm(),
            L.relu(),
            L.global_avg_pool(),
            L.output(10),
        ],
        name="digits_cells",
    )


def different_networks(space: SearchSpace) -> list[Architecture]:
    """The first member of each network, in the order of the space; cost: a graph id each."""
    found: dict[str, Architecture] = {}
    for member in space.members():
        found.setdefault(str(member.graph_id), member)
    return list(found.values())


def digits_cells(
    protocol: str = "direct", *, space: str = "decisions", path: str | Path | None = None
) -> Problem:
    """The table as a problem; all accuracies are means of three trainings, in %.

    Args:
        protocol: ``direct``: a search sees the test accuracy after 12 epochs. ``validation``: it
            sees the validation accuracy, and is judged by the former. ``cheap``: so, but what it
            sees is the validation accuracy after 3 epochs; ``cheap-6``, say, after 6. ``size``:
            test accuracy, and the number of weights, which is to be small. The first two have
            curves.
        space: ``decisions``: six plain decisions, so that two cells that build the same network
            are two members. ``networks``: the space of networks, in which they are one.
        path: a file that ``morphml bench make-table`` made; the package's own by default.

    Raises:
        CallerError: an unknown word, or the file is not there or not such a table.

    Example:
        >>> problem = digits_cells()
        >>> problem.name, len(problem.look_up), problem.curves.epochs
        ('digits-cells/digits/direct', 4096, 12)
    """
    table = CellTable.read(Path(path) if path is not None else shipped())
    name, seen, epochs = _read_protocol(protocol, table.epochs)
    if space not in ("decisions", "networks"):
        raise CallerError(f"digits-cells: space is 'decisions' or 'networks', got {space!r}")
    test = table.accuracy("test")[:, -1]
    values: dict[str, npt.NDArray[np.float64]] = {"test": test}
    if seen == "validation":
        values = {"validation": table.accuracy("validation")[:, epochs - 1], "test": test}
    elif seen == "size":
        values = {"test": test, "weights": table.params.astype(np.float64)}
    searched = digits_cells_space() if space == "networks" else _plain(table)
    columns = {name: column[table.network] for name, column in values.items()}
    rows = Rows(table.vectors, columns, None if space == "networks" else digits_cells_space())
    measures = tuple(
        measure(
            Objective(name=each, direction=Direction.MIN if each == "weights" else _MAX),
            column,
            "" if each == "weights" else "points",
        )
        for each, column in values.items()
    )
    problem = Problem(
        name=f"digits-cells/digits/{name}" + ("/networks" if space == "networks" else ""),
        space=searched,
        measures=measures[:1] if seen == "validation" else measures,
        look_up=rows,
        curves=TableCurves(table) if seen != "size" and epochs == table.epochs else None,
        answer=measures[1] if seen == "validation" else None,
        cost=f"one training of {epochs} epochs",
        source="morphml bench make-table, on UCI digits",
    )
    return with_front(problem, values)


def shipped() -> Path:
    """The table that comes with the package.

    Raises:
        CallerError: it was left out when the package was built.
    """
    file = Path(str(files("morphml.benchmarks"))) / "data" / "digits_cells.npz"
    if not file.is_file():
        raise CallerError(f"{file}: is not there; morphml bench make-table makes one in an hour")
    return file


def _plain(table: CellTable) -> SearchSpace:
    options = digits_cells_space().decisions[0].options
    names = [str(option) for option in options]
    return SearchSpace(
        decisions={edge: choice(*names) for edge in table.edges}, name="digits_cells"
    )


def _read_protocol(text: str, most: int) -> tuple[str, str, int]:
    """How it is called, what is seen, and after how many epochs."""
    if text in ("direct", "validation", "size"):
        return text, text, most
    found = re.fullmatch(r"cheap(?:-(\d{1,4}))?", text)
    if found is None:
        _refuse(text, most)
    epochs = int(found[1] or _CHEAP)
    if not 1 <= epochs < most:
        _refuse(text, most)
    return text, "validation", epochs


def _refuse(text: str, most: int) -> NoReturn:
    raise CallerError(
        f"digits-cells: protocol {', '.join(PROTOCOLS)}, or cheap-N with N from 1 to {most - 1}, "
        f"got {text!r}"
    )


def _convolution(kernel_size: int) -> Block:
    return sequence(
        L.relu(), L.conv2d(channels(), kernel_size, bias=False), L.batch_norm(),
        name=f"conv{kernel_size}x{kernel_size}",
    )  # fmt: skip
