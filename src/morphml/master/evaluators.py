"""Keeps an evaluator given by value, so that a killed search can be resumed from its store.

The pickle is a file that this user wrote into the experiment's own folder: it is read back only
when the owner is this user and the digest is the one that the store holds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import cloudpickle

from morphml.engines.local.payload import by_value
from morphml.errors import EvaluatorError
from morphml.evaluation import EvaluatorSource
from morphml.ids import digest
from morphml.master.artifacts import refusals_told
from morphml.search.experiment import EvaluatorReference
from morphml.space import SearchSpace

_PREFIX = "evaluator-"


def reference_to(source: EvaluatorSource) -> EvaluatorReference:
    """The reference that the spec holds; for a live object the file is named by ``keep``."""
    if source.path is not None:
        return EvaluatorReference(kind="path", reference=source.path, digest=source.digest)
    return EvaluatorReference(kind="value", reference=source.name, digest=source.digest)


def packed(space: SearchSpace, source: EvaluatorSource) -> bytes:
    """Space and evaluator by value, for ``keep``.

    Raises:
        EvaluatorError: when the evaluator holds something that cannot be stored.
    """
    live = source.live if source.path is None else source.path
    try:
        with by_value(source.live):
            return cast("bytes", cloudpickle.dumps((space, live)))
    except Exception as error:
        raise EvaluatorError(
            f"evaluator {source.name}: it cannot be kept for a resume: {error}. Make what cannot "
            "be pickled (locks, open files, connections) in setup(context)"
        ) from error


def keep(folder: Path, payload: bytes) -> None:
    """Write what ``packed`` gave into the experiment's folder, readable by this user only.

    Raises:
        StoreUnavailable: when the disk refuses.
    """
    path = folder / f"{_PREFIX}{digest(payload)}.pkl"
    with refusals_told(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(payload)


def recall(folder: Path) -> tuple[SearchSpace, EvaluatorSource]:
    """The space and the evaluator that ``keep`` wrote.

    Raises:
        EvaluatorError: when there is no such file, it is another user's, it was changed, or a
            module that it needs is not there.
    """
    found = sorted(folder.glob(f"{_PREFIX}*.pkl"))
    if len(found) != 1:
        raise EvaluatorError(
            f"{folder}: holds {len(found)} evaluators, expected 1; give the evaluator and the "
            "space again: Experiment.open(storage, evaluate=..., space=...).run()"
        )
    path = found[0]
    if path.stat().st_uid != os.getuid():
        raise EvaluatorError(f"{path}: was written by another user; it is not loaded")
    payload = path.read_bytes()
    if digest(payload) != path.stem.removeprefix(_PREFIX):
        raise EvaluatorError(f"{path}: was changed since it was written; it is not loaded")
    try:
        space, live = cloudpickle.loads(payload)
    except Exception as error:
        raise EvaluatorError(
            f"{path}: the stored evaluator cannot be loaded ({type(error).__name__}: {error}); run "
            "this from the folder that holds its modules, or give the evaluator again: "
            "mm.resume(storage, evaluate=...)"
        ) from error
    return space, EvaluatorSource.of(live)
