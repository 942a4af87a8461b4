"""What a job of training, scoring or export is about: an architecture, an evaluator, weights.

All three types of jobs read the same keys. ``search`` takes all outputs of a search job
(``${search}``) and gives ``architecture``, ``evaluator``, ``arguments`` and ``epochs`` where the
config does not say them itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from morphml.errors import WorkflowError
from morphml.evaluation import checkpoint
from morphml.evaluation.contract import Evaluator, NeedsSetup, SetupContext
from morphml.evaluation.source import EvaluatorSource
from morphml.evaluation.training import Classification, Regression
from morphml.jobs.artifacts import Artifact
from morphml.jobs.contract import JobRun
from morphml.optimizers.events import JSON
from morphml.space import SearchSpace

if TYPE_CHECKING:
    from morphml.space import Architecture

#: The built-in evaluators by the names that experiment files call them.
BUILT_IN: Mapping[str, type[Classification] | type[Regression]] = {
    "classification": Classification,
    "regression": Regression,
}
#: What a search gives, by the name of its output and the key that it stands for.
_OF_SEARCH = {
    "architecture": "architecture",
    "evaluator": "evaluator",
    "arguments": "arguments",
    "maxEpochs": "epochs",
}
#: Files of architectures are read up to this size, in bytes.
_MOST_BYTES = 16 << 20


def settled(
    config: Mapping[str, JSON], allowed: Collection[str], run: JobRun
) -> Mapping[str, JSON]:
    """The config with what its search gives.

    Args:
        config: as the workflow gives it.
        allowed: keys that the job type knows.
        run: for errors.

    Raises:
        WorkflowError: for another key, or a search that is none.
    """
    if unknown := config.keys() - {*allowed, "search"}:
        raise WorkflowError(
            f"job {run.job}: the config has {sorted(unknown)}; its type knows "
            f"{sorted({*allowed, 'search'})}"
        )
    search = config.get("search", {})
    if not isinstance(search, Mapping):
        raise WorkflowError(
            f"job {run.job}: search: expected the outputs of a search job, such as ${{search}}, "
            f"got {type(search).__name__}"
        )
    given = {key: search[name] for name, key in _OF_SEARCH.items() if name in search}
    return {**given, **{key: value for key, value in config.items() if key != "search"}}


def architecture_of(config: Mapping[str, JSON], run: JobRun) -> Architecture:
    """The architecture that ``architecture`` describes, itself or in a JSON file.

    Raises:
        WorkflowError: when it is no description, or names no file.
        SpaceError: when its space or its decisions are none.
    """
    value = config.get("architecture")
    if isinstance(value, str) or Artifact.of(value) is not None:
        value = _read(run.file(value, "architecture"), run)
    while isinstance(value, Mapping) and "architecture" in value:
        value = value["architecture"]
    if isinstance(value, Mapping):
        space, vector = value.get("space"), value.get("vector")
        if isinstance(space, str) and isinstance(vector, list):
            codes = cast("list[int | float | None]", vector)
            return SearchSpace.from_text(space).architecture(tuple(codes))
    raise WorkflowError(
        f"job {run.job}: architecture: expected what a search puts out, such as "
        "${search.architecture}, or a file that `morphml export --to best.json` wrote"
    )


def evaluator_of(config: Mapping[str, JSON], run: JobRun) -> Evaluator:
    """The evaluator that ``evaluator`` names, with ``arguments``, ready to be called.

    A built-in one that is told no data takes the config's own ``data``.

    Raises:
        WorkflowError: when it has another form.
        EvaluatorError: when an import path leads nowhere, or to none.
        Exception: whatever it raises while it gets ready.
    """
    made = _evaluator(config, run)
    if isinstance(made, NeedsSetup):
        made.setup(SetupContext(device=run.device, worker=run.worker, scratch=run.folder))
    return made


def _evaluator(config: Mapping[str, JSON], run: JobRun) -> Evaluator:
    value = config.get("evaluator")
    settings = config.get("arguments", {})
    if isinstance(value, Mapping) and len(value) == 1:
        ((value, settings),) = value.items()
    if not isinstance(value, str) or not isinstance(settings, Mapping):
        raise WorkflowError(
            f"job {run.job}: evaluator: expected an import path 'package.module:name', or a "
            f"built-in one with its settings, such as {{classification: {{data: digits}}}}"
        )
    arguments = dict(settings)
    if "data" in config:
        arguments.setdefault("data", config["data"])
    kind = BUILT_IN.get(value) or _built_in_at(value)
    if kind is None:
        return EvaluatorSource(name=value, path=value, arguments=arguments).load()
    if "data" not in arguments:
        raise WorkflowError(f"job {run.job}: evaluator: data: {value} needs to know which")
    data = data_of(arguments.pop("data"), run)
    return kind(data, **cast("Any", arguments))  # the evaluator checks its settings itself


def data_of(value: JSON, run: JobRun) -> str | Path:
    """The data that a config names, or a file of an earlier job.

    Raises:
        WorkflowError: when it is neither.
    """
    artifact = Artifact.of(value)
    if artifact is not None:
        return run.artifacts.path(artifact)
    if not isinstance(value, str):
        raise WorkflowError(f"job {run.job}: data: expected a name or a file, got {value!r}")
    return value


def _built_in_at(path: str) -> type[Classification | Regression] | None:
    """The built-in evaluator that an import path names, as searches tell it."""
    module, _, name = path.partition(":")
    if not module.startswith("morphml.evaluation.training"):
        return None
    return next((each for each in BUILT_IN.values() if each.__name__ == name), None)


def weights_of(config: Mapping[str, JSON], run: JobRun) -> object | None:
    """The trained state that ``weights`` names, a mapping of tensors on the CPU; None without.

    Raises:
        WorkflowError: when there is no such file.
        WorkerError: when it cannot be read.
    """
    value = config.get("weights")
    if value is None:
        return None
    return checkpoint.load(run.file(value, "weights"), "cpu").state.get("model")


def _read(path: Path, run: JobRun) -> JSON:
    if path.stat().st_size > _MOST_BYTES:
        raise WorkflowError(f"job {run.job}: architecture: {path} is larger than 16 MiB")
    try:
        return cast("JSON", orjson.loads(path.read_bytes()))
    except orjson.JSONDecodeError as error:
        raise WorkflowError(f"job {run.job}: architecture: {path} is no JSON: {error}") from None
