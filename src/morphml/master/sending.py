"""How an evaluator gets to other machines: by its import path, or in a bundle of source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import cloudpickle

from morphml.engines.local.payload import by_value
from morphml.errors import EvaluatorError, ExperimentError
from morphml.evaluation import EvaluatorSource
from morphml.evaluation.bundle import bundle_root, pack
from morphml.evaluation.contract import MadeOfArguments
from morphml.optimizers.events import JSON
from morphml.search.experiment import EvaluatorReference, ExperimentSpec
from morphml.storage import SqlStore

#: Bytes of the largest pickled evaluator: it travels in one message, which has at most 4 MiB.
MOST_PICKLED = 3 * 2**20


def reference_for_others(
    spec: ExperimentSpec, source: EvaluatorSource, store: SqlStore
) -> EvaluatorReference:
    """A reference that workers on other machines can follow.

    What is installed goes by import path; other modules go as a bundle of the folder that they
    are imported from, put into the store; evaluators made of JSON go as class and arguments; what
    was marked so goes as a pickle.

    Args:
        spec: whose space must be one that text can say.
        source: as the user gave it.
        store: takes the bundle.

    Raises:
        EvaluatorError: when it cannot be found by name (a lambda, a notebook's function), or its
            folder is too large to be sent.
        ExperimentError: when the space holds code.
    """
    if spec.space is None:
        raise ExperimentError(
            "the space holds code that text cannot say, so it cannot go to other machines; write "
            "its operations as L.custom(\"package.module:Class\"), or use engine='local'"
        )
    if source.pickled:
        return _pickled(source, store)
    found = source.load()
    arguments: Mapping[str, JSON] = source.arguments
    place: object = found if source.path is None else source.path
    if source.path is None and isinstance(found, MadeOfArguments) and found.arguments is not None:
        kind = type(found)
        place, arguments = f"{kind.__module__}:{kind.__qualname__}", found.arguments
    root = bundle_root(place)
    bundle = None if root.folder is None else pack(root.folder)
    if bundle is not None:
        store.bundles.put(bundle.digest, [bundle.data])
    return EvaluatorReference(
        kind="path",
        reference=root.path,
        digest=source.digest,
        bundle=None if bundle is None else bundle.digest,
        arguments=arguments,
    )


def _pickled(source: EvaluatorSource, store: SqlStore) -> EvaluatorReference:
    with by_value(source.live):
        payload: bytes = cloudpickle.dumps((None, source.live))
    if len(payload) > MOST_PICKLED:
        raise EvaluatorError(
            f"evaluator {source.name}: its pickle has {len(payload)} bytes, at most {MOST_PICKLED} "
            "are sent; let it load its data in setup(context)"
        )
    name = hashlib.sha256(payload).hexdigest()
    store.bundles.put(name, [payload])
    return EvaluatorReference(
        kind="pickle", reference=source.name, digest=source.digest, bundle=name
    )


def refuse_what_cannot_travel(spec: ExperimentSpec) -> None:
    """Nothing when workers on other machines can run the experiment.

    Raises:
        ExperimentError: when it holds code by value.
    """
    if spec.space is None or spec.evaluator.kind == "value":
        raise ExperimentError(
            f"experiment {spec.name!r} was made for one machine: its "
            f"{'space' if spec.space is None else 'evaluator'} holds code by value; create it with "
            "engine='remote', or run it here"
        )
