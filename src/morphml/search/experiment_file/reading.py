"""From a file's text to a checked experiment, with errors that point at the mistake."""

from __future__ import annotations

from morphml.documents import START, Document, Place, read_document, validated
from morphml.errors import (
    ConstraintError,
    DocumentError,
    ExperimentError,
    OptimizerError,
    SpaceError,
    TextFormError,
)
from morphml.optimizers.registry import create_optimizer
from morphml.search.experiment import MAX_EPOCHS
from morphml.search.experiment_file.model import ExperimentFile, is_import_path
from morphml.search.fidelity import combined, create_fidelity
from morphml.space.text import parse_space


def parse_experiment(text: str, source: str) -> ExperimentFile:
    """The experiment that a YAML (or JSON) text describes; the text form of its space is checked.

    Optimizer, settings and starting points are tried on the space; an import path is not followed.

    Args:
        text: the file's content.
        source: the file's name, for messages.

    Raises:
        DocumentError: with the line and column of the first mistake, the nearest allowed
            word, and all mistakes in the message.

    Cost: O(length of the text), and that of making the space.
    """
    document = read_document(text, source)
    if not isinstance(document.data, dict):
        raise document.refuse(
            "expected keys such as `space:` and `evaluator:`", document.values[()]
        )
    experiment = validated(ExperimentFile, document)
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
    name = _check_fidelity(experiment, document)
    try:
        create_optimizer(name, space, **experiment.optimizer.settings)
    except OptimizerError as error:
        place = document.values.get(("optimizer",), START)
        raise document.refuse(str(error), place) from error


def _check_fidelity(experiment: ExperimentFile, document: Document) -> str:
    """Refuse a rule of fidelity that a search would refuse; the optimizer's own name."""
    rule = experiment.fidelity
    settings = {} if rule is None else rule.settings
    max_epochs = experiment.max_epochs or MAX_EPOCHS
    try:
        name, chosen = combined(experiment.optimizer.name, None if rule is None else rule.name)
        if chosen is not None:
            create_fidelity(chosen, max_epochs, **settings)
    except (ExperimentError, OptimizerError) as error:
        place = document.values.get(("fidelity",)) or document.values.get(("optimizer",), START)
        raise document.refuse(str(error), place) from error
    return name


# --- mistakes in the space's text ----------------------------------------------------------------


def _space_refusal(error: TextFormError, document: Document, text: str) -> DocumentError:
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
