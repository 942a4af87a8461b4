"""What a job returned as what it puts out: JSON values by name, with files as references."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import orjson

from morphml.errors import WorkflowError
from morphml.jobs.contract import JobRun
from morphml.optimizers.events import JSON

#: Values inside values; deeper ones are refused.
_DEPTH = 32


def outputs_of(returned: object, run: JobRun, limit: int) -> Mapping[str, JSON]:
    """The outputs of a job; files among them are kept as artifacts.

    Args:
        returned: by the job type.
        run: keeps the files.
        limit: the most bytes of JSON.

    Raises:
        WorkflowError: when it is no mapping of names to JSON values and paths, or too large.
        WorkerError: when a file cannot be kept.
    """
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise WorkflowError(
            f"job {run.job}: it returned {type(returned).__name__}; outputs are a mapping of names "
            "to values, such as {'rows': 1797}, or None"
        )
    outputs = {
        _name(name, run): _json(value, run, str(name), 0) for name, value in returned.items()
    }
    size = len(orjson.dumps(outputs))
    if size > limit:
        raise WorkflowError(
            f"job {run.job}: its outputs take {size} bytes of JSON, at most {limit} are stored; "
            "write them to a file and return its path: that becomes an artifact"
        )
    return outputs


def _json(value: object, run: JobRun, place: str, depth: int) -> JSON:
    if depth > _DEPTH:
        raise WorkflowError(f"job {run.job}: output {place}: deeper than {_DEPTH} values")
    match value:
        case None | bool() | int() | str():
            return _plain(value, run, place)
        case float():
            if not math.isfinite(value):
                raise WorkflowError(f"job {run.job}: output {place}: {value} is no JSON number")
            return float(value)
        case Path():
            return run.keep(value.absolute())
        case np.generic():
            return _json(value.item(), run, place, depth + 1)
        case Mapping():
            return {
                _name(name, run): _json(each, run, f"{place}.{name}", depth + 1)
                for name, each in value.items()
            }
        case list() | tuple():
            return [_json(each, run, f"{place}.{i}", depth + 1) for i, each in enumerate(value)]
        case _:
            raise WorkflowError(
                f"job {run.job}: output {place}: {type(value).__name__} is no JSON value; return "
                "numbers, texts, lists and mappings, and the Path of a file for the rest"
            )


def _plain(value: bool | int | str | None, run: JobRun, place: str) -> JSON:
    try:
        orjson.dumps(value)
    except TypeError as error:  # more than 64 bits, or lone surrogates
        raise WorkflowError(f"job {run.job}: output {place}: {error}") from None
    return value


def _name(name: object, run: JobRun) -> str:
    if not isinstance(name, str):
        raise WorkflowError(f"job {run.job}: names of outputs are texts, got {name!r}")
    return name
