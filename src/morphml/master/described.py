"""From an experiment as people write it, checked, to the arguments of ``Experiment.create``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from morphml.errors import ExperimentError
from morphml.evaluation.training import Classification, Regression
from morphml.master.options import SearchOptions
from morphml.search.experiment_file import ExperimentFile, is_import_path
from morphml.space import SearchSpace
from morphml.space.text import parse_space

BUILT_IN = {"classification": Classification, "regression": Regression}


def space_of(file: ExperimentFile) -> SearchSpace:
    """The search space, parsed or imported.

    Raises:
        ExperimentError: when an import path leads nowhere, or to something else.
    """
    if not is_import_path(file.space):
        return parse_space(file.space)
    module, _, attribute = file.space.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ExperimentError(f"space {file.space!r} cannot be imported: {error}") from error
    if not isinstance(found, SearchSpace):
        raise ExperimentError(
            f"space {file.space!r} is a {type(found).__name__}, not a SearchSpace"
        )
    return found


def evaluator_of(file: ExperimentFile) -> object:
    """The built-in evaluator with its settings, or the import path."""
    made = BUILT_IN.get(file.evaluator.name)
    if made is None:
        return file.evaluator.name
    # The settings are checked by the evaluator itself, name by name.
    settings = cast("dict[str, Any]", dict(file.evaluator.settings))
    data = settings.pop("data")
    return made(data, **settings)


def options_of(file: ExperimentFile, changes: Mapping[str, object]) -> SearchOptions:
    """The search options that the file gives; what it does not say keeps its default.

    Args:
        file: the experiment.
        changes: what goes before the file; None for what was not said.
    """
    said = {name: value for name, value in changes.items() if value is not None}
    # The fields of the file are named and typed like the options.
    return cast("SearchOptions", {**file.options(), **said})
