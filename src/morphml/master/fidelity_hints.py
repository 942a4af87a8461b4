"""Tells people once where their evaluator does not do what a rule of fidelity lives on."""

from __future__ import annotations

import warnings

from morphml.master.flights import Flight
from morphml.search.experiment import ExperimentSpec
from morphml.search.fidelity import FIDELITIES


class FidelityHints:
    """Watches how trials end, and warns of each thing once a run.

    Args:
        spec: of the experiment.
    """

    def __init__(self, spec: ExperimentSpec) -> None:
        self._spec = spec
        self._said: set[str] = set()

    @property
    def _pauses(self) -> bool:
        fidelity = self._spec.fidelity
        return fidelity is not None and FIDELITIES[fidelity.name].pauses

    def epochs_of(self, flight: Flight, reported: int, *, stopped: bool) -> int:
        """Epochs of a trial that came to its end by itself, or was stopped.

        Args:
            flight: its last attempt.
            reported: the highest step that was reported; 0 for none.
            stopped: whether the search ended it.
        """
        last = flight.to_epoch == self._spec.max_epochs
        if self._pauses and last and not stopped:
            return self._spec.max_epochs
        if self._pauses and not stopped and (not reported or reported >= flight.to_epoch):
            self._say(
                "whole",
                f"trial {flight.number} was to pause after {flight.to_epoch} epochs and trained to "
                "its end: let it train `for epoch in trial.epochs(model=..., optimizer=...)`, or "
                "obey trial.report(); until then every trial is a full one",
            )
        if not self._pauses and not reported:
            self._say(
                "silent",
                f"trial {flight.number} ended without a report, so that it could not be stopped "
                "early: call trial.report(epoch, ...) after each epoch",
            )
        return reported

    def no_checkpoint(self, number: int, epoch: int) -> None:
        """A trial waits at a rung and has nothing to go on from."""
        self._say(
            "forgetful",
            f"trial {number} pauses after {epoch} epochs without a checkpoint, and would begin "
            "again if it is promoted: give its states, such as trial.epochs(model=model, "
            "optimizer=optimizer), or call trial.checkpoint()",
        )

    def checkpoint_elsewhere(self, number: int) -> None:
        """A trial waits at a rung, and what it could go on from lies with another master alone."""
        self._say(
            "elsewhere",
            f"trial {number} pauses with its checkpoint in a folder of another master, and would "
            "begin again if it is promoted: let all masters share one folder (--artifacts)",
        )

    def _say(self, kind: str, what: str) -> None:
        if kind not in self._said and self._spec.fidelity is not None:
            self._said.add(kind)
            warnings.warn(f"fidelity={self._spec.fidelity.name!r}: {what}", stacklevel=2)
