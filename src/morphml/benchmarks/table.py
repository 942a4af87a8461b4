"""A benchmark of your own: a file with one row for each member that was measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from morphml.benchmarks.columns import Column, read_columns
from morphml.benchmarks.judging import hypervolume, signed
from morphml.benchmarks.problem import Measure, Problem
from morphml.benchmarks.rows import Rows
from morphml.errors import CallerError
from morphml.search.objectives import Direction, Objective, parse_objectives
from morphml.space import SearchSpace, choice
from morphml.space.decisions import Code


def table(
    path: str | Path,
    *,
    decisions: Sequence[str],
    objectives: Mapping[str, str],
    units: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Problem:
    """The problem that a table of results describes.

    Every value that a decision's column holds becomes an option of that decision: numbers from the
    smallest on, texts by the alphabet. A combination without a row is a trial that fails, and so is
    one whose row lacks an objective. Rows are counted from 1, without the heads.

    Args:
        path: a ``.npz``, ``.csv`` or ``.parquet`` file with one column for each name below.
        decisions: columns that say which member a row is about; each combination once.
        objectives: column to ``"min"`` or ``"max"``; the first is the fitness. Two of them are
            judged by their hypervolume up to the worst value of each.
        units: column to unit, such as ``{"error": "%"}``.
        name: of the problem; the file's name by default.

    Raises:
        CallerError: the file cannot be read, a decision has no value in some row, a combination
            stands there twice, or an objective has no number at all.

    Example:
        >>> import os, pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "runs.csv"
        >>> rows = ["width,act,error", "8,relu,0.3", "8,tanh,0.4", "16,relu,0.1"]
        >>> _ = file.write_text(os.linesep.join(rows))
        >>> problem = table(file, decisions=["width", "act"], objectives={"error": "min"})
        >>> problem.measures[0].best, len(problem.look_up), str(problem.space.size)
        (0.1, 3, '4')
    """
    file = Path(path)
    if not decisions:
        raise CallerError(f"{file}: decisions: name at least one column")
    parsed = parse_objectives(objectives)
    names = [objective.name for objective in parsed]
    twice = [each for each, count in Counter([*decisions, *names]).items() if count > 1]
    if twice:
        raise CallerError(f"{file}: column {twice[0]!r} is named twice; each is one thing")
    columns = read_columns(file, [*decisions, *names])
    options = {each: _options(file, each, columns[each]) for each in decisions}
    space = SearchSpace(
        decisions={each: choice(*options[each]) for each in decisions}, name=name or file.stem
    )
    vectors = _vectors(file, [columns[each] for each in decisions], list(options.values()))
    values = {each: _numbers(file, each, columns[each]) for each in names}
    measures = tuple(
        measure(objective, values[objective.name], (units or {}).get(objective.name, ""))
        for objective in parsed
    )
    return with_front(
        Problem(
            name=name or file.stem,
            space=space,
            measures=measures,
            look_up=Rows(vectors, values),
            cost="one row of the table",
            source=file.name,
        ),
        values,
    )


def measure(objective: Objective, values: npt.NDArray[np.float64], unit: str) -> Measure:
    """The measure whose best is the best of ``values`` (NaN left out)."""
    best = np.nanmin(values) if objective.direction is Direction.MIN else np.nanmax(values)
    return Measure(objective=objective, unit=unit, best=float(best))


def with_front(
    problem: Problem,
    values: Mapping[str, npt.NDArray[np.float64]],
    reference: tuple[float, float] | None = None,
) -> Problem:
    """The problem with the hypervolume of its exact front, where it has two objectives.

    Args:
        problem: as it is so far.
        values: every member's, by metric.
        reference: the point that bounds the volume; the worst value of each by default.
    """
    if len(problem.measures) != 2:
        return problem
    first, second = (each.objective for each in problem.measures)
    pairs = np.stack([values[first.name], values[second.name]], axis=1)
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    points = [signed((first, second), (a, b)) for a, b in pairs.tolist()]
    if reference is None:
        worst = (max(point[0] for point in points), max(point[1] for point in points))
        reference = signed((first, second), worst)
    bound = signed((first, second), reference)
    exact = hypervolume(points, bound)
    if not exact > 0:
        return problem  # one value is all there is: nothing to judge by a volume
    front = tuple(_front(point for point in points if point[0] < bound[0] and point[1] < bound[1]))
    return replace(problem, reference=reference, hypervolume=exact, front=front)


def _front(points: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Those that no other dominates, by the first value."""
    lowest = float("inf")
    for point in sorted(points):
        if point[1] < lowest:
            lowest = point[1]
            yield point


def _options(file: Path, name: str, column: Column) -> list[str | float]:
    """The values of a decision's column, each once, in order."""
    for row, value in enumerate(column, 1):
        if not isinstance(value, str | int | float):
            raise CallerError(
                f"{file}: row {row}: decision {name!r} is {value!r}; its values are numbers, texts "
                "or truth values"
            )
        if value == "" or (isinstance(value, float) and not math.isfinite(value)):
            raise CallerError(f"{file}: row {row} has no value of decision {name!r}, got {value!r}")
    numbers = sorted({value for value in column if not isinstance(value, str)})
    return [*numbers, *sorted({value for value in column if isinstance(value, str)})]


def _vectors(
    file: Path, columns: Sequence[Column], options: Sequence[Sequence[object]]
) -> list[tuple[Code, ...]]:
    codes = [{option: code for code, option in enumerate(each)} for each in options]
    vectors: list[tuple[Code, ...]] = []
    seen: dict[tuple[Code, ...], int] = {}
    for place, values in enumerate(zip(*columns, strict=True)):
        vector = tuple(each[value] for each, value in zip(codes, values, strict=True))
        if vector in seen:
            raise CallerError(
                f"{file}: rows {seen[vector] + 1} and {place + 1} have the same decisions {values}"
            )
        seen[vector] = place
        vectors.append(vector)
    return vectors


def _numbers(file: Path, name: str, column: Column) -> npt.NDArray[np.float64]:
    try:
        values = np.array([_number(value) for value in column], dtype=np.float64)
    except ValueError as error:
        raise CallerError(f"{file}: {name!r} is an objective, but: {error}") from None
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise CallerError(f"{file}: {name!r} is an objective, but holds no number")
    return values


def _number(value: str | float) -> float:
    return float(value) if value != "" else float("nan")
