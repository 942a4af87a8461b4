"""What attempts of each experiment share, as the master's records tell it."""

from __future__ import annotations

from dataclasses import replace

from morphml.engines.remote import wire
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.errors import EvaluatorError, WorkerError
from morphml.ids import ExperimentId, digest

#: Room in a message for what goes around a context, in bytes.
_MARGIN = 16 << 10


class Contexts:
    """The contexts of one hub. Calls may wait for the store.

    Args:
        switchboard: takes them.
        records: tells them.
    """

    def __init__(self, switchboard: Switchboard, records: Records) -> None:
        self._switchboard = switchboard
        self._records = records

    def learn(self, experiment: ExperimentId) -> None:
        """Get the context anew.

        Raises:
            EvaluatorError: when the evaluator cannot travel, or is too large for a message.
            WorkerError: when the experiment is not known.
        """
        context = self._records.context(experiment)
        if context is None:
            raise WorkerError(f"experiment {experiment}: this master does not know it")
        message = wire.context_to_proto(context)
        size, most = message.ByteSize(), self._switchboard.settings.max_message_bytes - _MARGIN
        if size > most:
            raise EvaluatorError(
                f"the evaluator and the space take {size} bytes, and {most} can be sent to a "
                "worker; keep data out of the evaluator (load it in setup), or name the evaluator "
                "by an import path"
            )
        if not context.digest:
            context = replace(context, digest=digest(message.SerializeToString(deterministic=True)))
            message = wire.context_to_proto(context)
        with self._switchboard.lock:
            self._switchboard.contexts[experiment] = message

    def has(self, experiment: ExperimentId) -> bool:
        """Whether the context is here; it goes when nothing of the experiment is left."""
        with self._switchboard.lock:
            return experiment in self._switchboard.contexts
