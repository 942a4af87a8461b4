"""``export``: writes an architecture as a file, with its weights where they are given.

Config: see ``subject``; also ``weights`` (a file of a train job) and ``to``, the file's name or
path (``model.py`` by default): its ending says what is written, ``.py``, ``.onnx``, ``.pt2`` or
``.json``. A path with a folder is also written there, at the worker. Outputs: ``model``, the file,
and ``weights``, the file beside it that a ``.py`` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from morphml.errors import WorkflowError
from morphml.jobs.contract import JobRun
from morphml.jobs.subject import architecture_of, settled, weights_of
from morphml.optimizers.events import JSON
from morphml.space import Architecture

_KEYS = ("architecture", "weights", "to", "evaluator", "arguments", "epochs")
_ENDINGS = (".py", ".onnx", ".pt2", ".json")


def run(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, object]:
    """Write the file.

    Raises:
        WorkflowError: when the config has another form.
        CallerError: when the weights belong to another architecture.
    """
    config = settled(config, _KEYS, run)
    architecture, weights = architecture_of(config, run), weights_of(config, run)
    to = config.get("to", "model.py")
    if not isinstance(to, str) or Path(to).suffix not in _ENDINGS:
        raise WorkflowError(
            f"job {run.job}: to: expected a name that ends with one of {', '.join(_ENDINGS)}, "
            f"got {to!r}"
        )
    path = Path(to)
    if path.parent == Path():
        path = run.folder / path
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(architecture, path, weights)
    outputs: dict[str, object] = {"model": path}
    if weights is not None and path.suffix == ".py":
        outputs["weights"] = path.with_suffix(".pt")
    run.log(f"wrote {path.name}, {architecture.params:,} parameters")
    return outputs


def _write(architecture: Architecture, path: Path, weights: object | None) -> None:
    match path.suffix:
        case ".py":
            architecture.to_python(path, weights=weights)
        case ".onnx":
            architecture.to_onnx(path, weights=weights)
        case ".pt2":
            architecture.to_program(path, weights=weights)
        case _:
            path.write_bytes(orjson.dumps(architecture.to_json(), option=orjson.OPT_INDENT_2))
