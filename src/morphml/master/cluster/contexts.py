"""What masters know of experiments that they run attempts of, whether or not they drive them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from morphml.engines.remote.messages import ContextMessage
from morphml.errors import ExperimentError
from morphml.ids import ExperimentId, digest
from morphml.master.options import required_metrics
from morphml.master.ports import Exchange
from morphml.search.experiment import ExperimentSpec
from morphml.storage import SqlStore

#: Experiments that are kept; a pickle may have 4 MiB.
MOST_KNOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One experiment."""

    spec: ExperimentSpec
    #: Folder of its files on this machine.
    folder: Path
    message: ContextMessage


class Contexts:
    """Reads each experiment once in a while; what is kept of it never changes. Thread-safe.

    Args:
        store: where experiments are.
        folder_of: the folder of an experiment's files.
        allow_pickle: whether pickled evaluators are sent to workers.
        exchange: has checkpoints of masters with other folders.
    """

    def __init__(
        self,
        store: SqlStore,
        folder_of: Callable[[ExperimentId], Path],
        *,
        allow_pickle: bool = False,
        exchange: Exchange | None = None,
    ) -> None:
        self._store = store
        self.exchange = exchange
        #: Whether pickled evaluators are sent to workers.
        self.allow_pickle = allow_pickle
        self._folder_of = folder_of
        self._known: dict[ExperimentId, Known] = {}
        self._lock = threading.Lock()

    def folder(self, experiment: ExperimentId) -> Path:
        """Where an experiment's files lie on this machine, whether or not it can travel."""
        return self._folder_of(experiment)

    def of(self, experiment: ExperimentId) -> Known:
        """The experiment.

        Raises:
            ExperimentError: when there is none of that id, or it cannot travel to other machines.
        """
        with self._lock:
            found = self._known.get(experiment)
        if found is None:
            spec = self._store.experiment(experiment).current_spec
            found = Known(
                spec=spec,
                folder=self._folder_of(experiment),
                message=_message(experiment, spec, self._pickled),
            )
            with self._lock:
                self._known[experiment] = found
                while len(self._known) > MOST_KNOWN:
                    del self._known[next(iter(self._known))]
        return found

    def _pickled(self, name: str) -> bytes:
        """The pickle of an evaluator, as bytes that this process never opens."""
        if not self.allow_pickle:
            raise ExperimentError(
                "its evaluator was submitted as a pickle, which this master does not send: start "
                "master and workers with --allow-pickle if you trust who submits"
            )
        return b"".join(self._store.bundles.chunks(name) or ())


def _message(
    experiment: ExperimentId, spec: ExperimentSpec, pickled: Callable[[str], bytes]
) -> ContextMessage:
    if spec.space is None or spec.evaluator.kind == "value":
        raise ExperimentError(
            f"experiment {experiment}: it cannot go to other machines: its "
            f"{'space holds code' if spec.space is None else 'evaluator was given by value'}; "
            "submit it with an evaluator that workers can import, or as a source bundle"
        )
    evaluator = spec.evaluator
    by_value = evaluator.kind == "pickle"
    payload = pickled(evaluator.bundle or "") if by_value else b""
    parts = (spec.space, evaluator.reference, evaluator.bundle or "", evaluator.digest or "")
    settings = orjson.dumps(dict(evaluator.arguments), option=orjson.OPT_SORT_KEYS)
    return ContextMessage(
        experiment=experiment,
        space=spec.space,
        evaluator="" if by_value else evaluator.reference,
        bundle="" if by_value else evaluator.bundle or "",
        pickle=payload,
        required=required_metrics(spec),
        settings=settings,
        digest=digest("\0".join(parts).encode() + settings),
    )
