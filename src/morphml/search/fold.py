"""What a search knows: the fold over its log. Live calls and a restart learn through it alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphml.optimizers import (
    Answered,
    Asked,
    Cancelled,
    Optimizer,
    Paused,
    Promoted,
    Rejected,
    Reported,
    Told,
)
from morphml.optimizers.pareto import Result
from morphml.scheduling.transitions import check_known
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.fidelity.contract import Fidelity
from morphml.search.knowledge import Knowledge
from morphml.search.log import EntryKind, LogEntry, Origin
from morphml.search.objectives import minimised_values
from morphml.search.segments import Segments
from morphml.search.standing import Standing
from morphml.search.trial_life import TRANSITIONS
from morphml.space import Architecture, SearchSpace

#: Trial states by the name that log entries have for them.
_STATES: Mapping[str, TrialState] = {state.value: state for state in TrialState}
#: Those that come with a result.
_SCORED = (TrialState.COMPLETED, TrialState.PRUNED)


class Fold:
    """All that follows from the log of one experiment, and from nothing else.

    Args:
        spec: what fixes the search.
        space: the space that ``spec`` describes.
        optimizer: a fresh optimizer; it learns only from entries learnt here.
        fidelity: a fresh rule that decides who gets more epochs; None: every trial is a full one.
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        space: SearchSpace,
        optimizer: Optimizer,
        fidelity: Fidelity | None,
    ) -> None:
        self._objectives = spec.objectives
        self._space = space
        #: Level of a full trial, where there are others.
        self._full = 0 if fidelity is None else spec.max_epochs
        self.optimizer = optimizer
        self.standing = Standing(spec.objectives, spec.budget, self._full)
        #: Who runs in segments, and who waits.
        self.segments = Segments(spec, fidelity)
        #: Trials that have not ended and do not wait at a rung, with their architectures.
        self.pending: dict[int, Architecture] = {}
        #: Highest step reported by each trial that has not ended.
        self.reported: dict[int, int] = {}
        #: Computed metrics of each trial that has not ended.
        self.computed: dict[int, Mapping[str, float]] = {}
        self.knowledge = Knowledge(len(spec.objectives))
        #: Sequence number of the last entry learnt.
        self.seq = 0
        #: The number that the next trial takes.
        self.next_number = 0
        #: Starting points that were tried.
        self.started = 0
        #: Proposals answered from other experiments since the last number was taken.
        self.reused = 0

    def learn(
        self, entry: LogEntry, body: Mapping[str, Any], architecture: Architecture | None
    ) -> None:
        """Learn one entry: the only way in which anything here changes.

        Args:
            entry: the next one.
            body: its body.
            architecture: what it is about, where that is at hand.
        """
        self.seq = entry.seq
        number = entry.number
        match entry.kind:
            case EntryKind.ASKED:
                self._asked(number, body, self._member(body, architecture))
            case EntryKind.TOLD:
                self._told(number, body)
            case EntryKind.ANSWERED:
                self._answered(body, self._member(body, architecture))
            case EntryKind.REJECTED:
                self._rejected(body, self._member(body, architecture))
            case EntryKind.REPORTED:
                self._reported(number, body)
            case EntryKind.CANCELLED:
                self._forget(number, None)
                self.standing.moved(TrialState.PENDING, TrialState.CANCELLED)
                self.optimizer.observe(Cancelled(number=number))
            case EntryKind.PAUSED:
                self._paused(number, body)
            case EntryKind.PROMOTED:
                event = Promoted(number=number, step=body["from"])
                check_known(TRANSITIONS, f"trial {number}", self._state(number), event)
                self.pending[number] = self.segments.promoted(number, body)
                self.standing.moved(TrialState.PAUSED, TrialState.PENDING)
                self.optimizer.observe(event)
            case EntryKind.SWITCHED:
                raise NotImplementedError(f"log entry {entry.kind} is not written yet")

    def measured(self, number: int, metrics: Mapping[str, float]) -> Result | None:
        """What the metrics of a trial on its way come to; None where an objective is missing."""
        return self.segments.result({**metrics, **self.computed.get(number, {})})

    # --- proposals -------------------------------------------------------------------------------

    def _member(self, body: Mapping[str, Any], architecture: Architecture | None) -> Architecture:
        if architecture is not None:
            return architecture
        return self._space.architecture(tuple(body["vector"]))

    def _asked(self, number: int, body: Mapping[str, Any], architecture: Architecture) -> None:
        self._count_start(body)
        self.reused = 0
        self.next_number = number + 1
        self.pending[number] = architecture
        self.computed[number] = body["computed"]
        self.knowledge.add(number, body["point"])
        self.standing.asked()
        self.segments.asked(number, body.get("bracket", 0))
        self.optimizer.observe(
            Asked(
                number=number,
                architecture=architecture,
                parents=tuple(body.get("parents", ())),
                note=body.get("note"),
            )
        )

    def _answered(self, body: Mapping[str, Any], architecture: Architecture) -> None:
        self._count_start(body)
        source = body["source"]
        place = body["reused"] if source is None else source
        if "metrics" in body:
            self._learn_reused(place, body)
        else:
            self.standing.duplicates += 1
        self.optimizer.observe(
            Answered(
                architecture=architecture,
                source=source,
                values=self.knowledge.values(place),
                violation=self.knowledge.violation(place),
            )
        )

    def _learn_reused(self, place: int, body: Mapping[str, Any]) -> None:
        self.reused += 1
        metrics = {**body["metrics"], **body["computed"]}
        values = minimised_values(self._objectives, metrics)
        self.knowledge.add_reused(body["point"], values, body["violation"])
        self.standing.learn_reused(place, values, body["violation"])

    def _rejected(self, body: Mapping[str, Any], architecture: Architecture) -> None:
        self._count_start(body)
        self.standing.rejections += 1
        self.optimizer.observe(Rejected(architecture=architecture, constraint=body["constraint"]))

    def _count_start(self, body: Mapping[str, Any]) -> None:
        if body["origin"] == Origin.START:
            self.started += 1

    # --- results ---------------------------------------------------------------------------------

    def _told(self, number: int, body: Mapping[str, Any]) -> None:
        values = complete = None
        state = _STATES[body["state"]]
        full = state is not TrialState.PRUNED
        if state in _SCORED:
            metrics = {**body["metrics"], **self.computed.get(number, {})}
            values = minimised_values(self._objectives, metrics)
            self.knowledge.tell(number, values, body["violation"])
            complete = Result(body["violation"], values) if full else None
        self._forget(number, complete)
        level = self._full if full else min(self._full, body["epochs"])
        self.standing.told(number, state, values, body, level)
        self.optimizer.observe(
            Told(
                number=number,
                values=values,
                violation=body["violation"],
                duration=body["duration"],
                step=None if full else body["epochs"],
            )
        )

    def _forget(self, number: int, full: Result | None) -> None:
        """A trial is over: nothing has to be remembered of its way; O(1)."""
        self.pending.pop(number, None)
        self.reported.pop(number, None)
        self.computed.pop(number, None)
        if self.segments.ended(number, full):
            self.standing.moved(TrialState.PAUSED, TrialState.PENDING)

    def _reported(self, number: int, body: Mapping[str, Any]) -> None:
        self.reported[number] = body["step"]
        result = self.measured(number, body["metrics"])
        if result is not None:
            self.segments.reported(number, body, result)
            self._show(number, body["step"], result)

    def _state(self, number: int) -> TrialState:
        """Of a trial that has not ended."""
        return TrialState.PAUSED if number in self.segments.paused else TrialState.PENDING

    def _paused(self, number: int, body: Mapping[str, Any]) -> None:
        event = Paused(number=number, step=body["step"])
        check_known(TRANSITIONS, f"trial {number}", self._state(number), event)
        result = self.measured(number, body["metrics"])
        assert result is not None  # an attempt pauses with all objectives, or fails
        self.reported[number] = max(self.reported.get(number, 0), body["step"])
        self.standing.epochs += body["spent"]
        self.standing.moved(TrialState.PENDING, TrialState.PAUSED)
        if result.violation == 0:
            self.standing.place(number, result.values, body["step"])
        self.segments.waits(number, body, self.pending.pop(number), result)
        self._show(number, body["step"], result)
        self.optimizer.observe(event)

    def _show(self, number: int, step: int, result: Result) -> None:
        """Tell the optimizer of a result on the way."""
        violation, values = result
        self.optimizer.observe(
            Reported(number=number, step=step, values=values, violation=violation)
        )
