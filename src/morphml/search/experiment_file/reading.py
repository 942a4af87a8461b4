"""From a file's text to a checked experiment, with errors that point at the mistake."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from morphml.errors import (
    ConstraintError,
    ExperimentFileError,
    OptimizerError,
    SpaceError,
    TextFormError,
)
from morphml.optimizers.registry import create_optimizer
from morphml.search.experiment_file.document import START, Document, Path, Place, read_document
from morphml.search.experiment_file.model import ExperimentFile, is_import_path
from morphml.space.text import parse_space

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def parse_experiment(text: str, source: str) -> ExperimentFile:
    """The experiment that a YAML (or JSON) text describes; the text form of its space is checked.

    Optimizer, settings and starting points are tried on the space; an import path is not followed.

    Args:
        text: the file's content.
        source: the file's name, for messages.

    Raises:
        ExperimentFileError: with the line and column of the first mistake, the nearest allowed
            word, and all mistakes in the message.

    Cost: O(length of the text), and that of making the space.
    """
    document = read_document(text, source)
    if not isinstance(document.data, dict):
        raise document.refuse(
            "expected keys such as `space:` and `evaluator:`", document.values[()]
        )
    try:
        experiment = ExperimentFile.model_validate(document.data)
    except ValidationError as error:
        raise _refusal(error, document) from error
    if not is_import_path(experiment.space):
        _check_on_space(experiment, document, text)
    return experiment


def _check_on_space(experiment: ExperimentFile, document: Document, text: str) -> None:
    """Refuse a space, an optimizer or a starting point that a search would refuse later."""
    try:
        space = parse_space(experiment.space)
    except TextFormError as error:
        raise _space_refusal(error, document, text) from error
    for number, point in enumerate(experiment.start):
        try:
            space.member(point)
        except (SpaceError, ConstraintError) as error:
            place = document.values["start", number]
            raise document.refuse(f"start.{number}: {error}", place) from error
    optimizer = experiment.optimizer
    try:
        create_optimizer(optimizer.name, space, **optimizer.settings)
    except OptimizerError as error:
        place = document.values.get(("optimizer",), START)
        raise document.refuse(str(error), place) from error


# --- mistakes in fields --------------------------------------------------------------------------


def _refusal(error: ValidationError, document: Document) -> ExperimentFileError:
    mistakes = [_mistake(details, document) for details in error.errors(include_url=False)]
    mistakes.sort(key=lambda mistake: (mistake[0].line, mistake[0].column))
    first, _, suggestion = mistakes[0]
    lines = [f"line {place.line}, column {place.column}: {what}" for place, what, _ in mistakes]
    if len(lines) == 1:
        message = f"{document.source}, {lines[0]}"
    else:
        message = "\n  ".join([f"{document.source} has {len(lines)} mistakes:", *lines])
    return ExperimentFileError(
        message,
        source=document.source,
        line=first.line,
        column=first.column,
        suggestion=suggestion,
    )


def _mistake(details: ErrorDetails, document: Document) -> tuple[Place, str, str | None]:
    path = _path_in_file(details["loc"], document)
    if details["type"] == "missing":
        missing = details["loc"][-1]
        return document.values[path], f"the key {missing!r} is missing", None
    if details["type"] == "extra_forbidden":
        known = list(ExperimentFile.model_fields)
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        place = document.keys.get(path, document.values[path])
        return place, f"unknown key {path[-1]!r}{hint}", near[0] if near else None
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    got = details["input"]
    if details["type"] != "value_error" and isinstance(got, bool | int | float | str | None):
        message = f"{message}, got {got!r}"
    where = ".".join(map(str, path))
    return document.values[path], f"{where}: {message}" if where else message, None


def _path_in_file(location: tuple[int | str, ...], document: Document) -> Path:
    """The longest path of the file along ``location``, which also names union members."""
    path: Path = ()
    for part in location:
        if (*path, part) in document.values:
            path = (*path, part)
    return path


# --- mistakes in the space's text ----------------------------------------------------------------


def _space_refusal(error: TextFormError, document: Document, text: str) -> ExperimentFileError:
    place = _place_in_file(error, document.values[("space",)], text)
    message = str(error).split(": ", 1)[1]
    refusal = document.refuse(f"space: {message}", place)
    refusal.suggestion = error.suggestion
    return refusal


def _place_in_file(error: TextFormError, start: Place, text: str) -> Place:
    """Where line and column of the space's own text stand in the file."""
    if start.style == "|":
        lines = text.splitlines()[start.line :]
        first = next((line for line in lines if line.strip()), "")
        indent = len(first) - len(first.lstrip(" "))
        return Place(line=start.line + error.line, column=indent + error.column)
    if start.style == ">" or error.line > 1:
        # Folded lines cannot be told apart any more.
        return start
    quote = 1 if start.style else 0
    return Place(line=start.line, column=start.column + quote + error.column - 1)
