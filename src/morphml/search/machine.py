"""The experiment machine: budget, constraints, duplicates and the log, without any I/O.

``ask`` and ``tell`` change what the machine knows and collect what must be stored; the driver
commits it with ``drain`` and, if the store refuses, drops the machine and folds the log anew. Live
calls and the fold run through the same ``_apply``, so memory after a restart is memory before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from morphml.errors import ConstraintError, ShapeError
from morphml.optimizers import (
    Answered,
    Asked,
    Cancelled,
    Optimizer,
    Proposal,
    Rejected,
    Reported,
    Told,
)
from morphml.search.asked import Ended, Reused, Taken
from morphml.search.bodies import Candidate, asked_body, repeated_body, reused_body, told_body
from morphml.search.changes import NewResult, NewTrial, TrialUpdate
from morphml.search.constraints import total_violation
from morphml.search.draft import Draft, Drafting
from morphml.search.drawing import drawn
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.knowledge import Knowledge
from morphml.search.log import EntryKind, LogEntry, Origin, decode_body, encode_body
from morphml.search.objectives import minimised_values
from morphml.search.outcome import Outcome
from morphml.search.sharing import KnownResult, Sharing
from morphml.search.standing import Standing
from morphml.seeds import generator
from morphml.space import Architecture, SearchSpace

__all__ = ["Draft", "Ended", "Reused", "SearchMachine", "Taken", "encode_vector"]

#: Duplicates or rejections in a row after which the search draws by itself.
PATIENCE = 64
#: Rejections in a row after which the constraint is named in an error.
REJECTIONS = 1_000
#: Trial states by the name that log entries have for them.
_STATES: Mapping[str, TrialState] = {state.value: state for state in TrialState}
#: Names of those that come with a result.
_SCORED = (TrialState.COMPLETED.value, TrialState.PRUNED.value)


class SearchMachine:
    """One experiment's search.

    Args:
        spec: what fixes the search.
        space: the space that ``spec`` describes.
        optimizer: a fresh optimizer; it learns only from entries applied here.
        sharing: results of other experiments; None where nothing is shared.
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        space: SearchSpace,
        optimizer: Optimizer,
        sharing: Sharing | None = None,
    ) -> None:
        self.spec = spec
        self.space = space
        self.standing = Standing(spec.objectives, spec.budget)
        #: Trials that have not ended, with their architectures.
        self.pending: dict[int, Architecture] = {}
        #: Highest step reported by each of them.
        self.reported: dict[int, int] = {}
        #: Sequence number of the last entry applied.
        self.seq = 0
        #: The number that the next trial takes.
        self.next_number = 0
        self._optimizer = optimizer
        self._knowledge = Knowledge(len(spec.objectives))
        self._cheap = tuple(c for c in spec.constraints if c.cheap)
        self._computed: dict[int, Mapping[str, float]] = {}
        self._sharing = sharing
        self._started = 0
        #: Proposals answered from other experiments since the last number was taken.
        self._reused = 0
        self._rejected_in_row = 0
        self._draft = Drafting()

    @property
    def optimizer_version(self) -> int:
        """Version of the optimizer's rule."""
        return self._optimizer.version

    @property
    def has_room(self) -> bool:
        """Whether one more trial fits the budget of epochs if all pending ones use up theirs.

        Where it does not, the driver waits for one to end: it may have used fewer.
        """
        budget = self.standing.budget.epochs
        if budget is None or not self.pending:
            return True
        return self.standing.epochs + len(self.pending) * self.spec.max_epochs < budget

    @property
    def over(self) -> Ended | None:
        """Why nothing more may be asked, where a stop rule is met; free slots or not."""
        reason = self.standing.over(self.next_number)
        return None if reason is None else Ended(reason)

    # --- what the driver calls -------------------------------------------------------------------

    def ask(self) -> Taken | Reused | Ended:
        """Take the next number for an unseen, allowed architecture.

        A proposal whose result another experiment knows takes none and is answered at once; the
        caller then asks again.

        Raises:
            ConstraintError: when cheap constraints rejected 1,000 proposals in a row.
        """
        if (over := self.over) is not None:
            return over
        number = self.next_number
        self._rejected_in_row = 0
        for attempt in range(PATIENCE):
            proposal, origin = self._propose(number, attempt)
            asked = self._consider(number, proposal, origin, logged=True)
            if asked is not None:
                return asked
        return self._draw_unseen(number)

    def tell(self, number: int, outcome: Outcome) -> None:
        """End trial ``number``; an optimizer never gets a number for a failure."""
        measured = dict(outcome.metrics)
        metrics = {**measured, **self._computed.get(number, {})}
        violation = total_violation(self.spec.constraints, metrics) if measured else 0.0
        if self._sharing is not None and outcome.state is TrialState.COMPLETED:
            key = self._sharing.key(self.pending[number].point_id)
            self._draft.results.append(NewResult(key=key, number=number, metrics=measured))
        self._draft.updates.append(
            TrialUpdate(
                number=number,
                state=outcome.state,
                metrics=encode_body(metrics) if measured else None,
                duration_s=outcome.duration_s,
                epochs=outcome.epochs,
            )
        )
        self._record(EntryKind.TOLD, number, told_body(outcome, violation))

    def report(self, number: int, step: int, metrics: Mapping[str, float]) -> None:
        """Record that trial ``number`` reported after ``step`` epochs."""
        self._record(EntryKind.REPORTED, number, {"step": step, "metrics": dict(metrics)})

    def cancel(self, number: int) -> None:
        """Take a running trial back: it keeps its number and is told to nobody."""
        self._draft.updates.append(TrialUpdate(number=number, state=TrialState.CANCELLED))
        self._record(EntryKind.CANCELLED, number, {})

    def drain(self) -> Draft:
        """What is to be stored since the last drain; the caller now owns it."""
        draft, self._draft = self._draft, Drafting()
        return draft.done()

    def fold(self, entries: Iterable[LogEntry]) -> None:
        """Learn a stored log, or the next part of it; nothing is asked."""
        for entry in entries:
            self._apply(entry, decode_body(entry), None)

    # --- proposals -------------------------------------------------------------------------------

    def _propose(self, number: int, attempt: int) -> tuple[Proposal, Origin]:
        if self._started < len(self.spec.start):
            start = self.space.architecture(self.spec.start[self._started])
            return Proposal(architecture=start), Origin.START
        purpose = f"ask/{self._reused}/{attempt}" if self._reused else f"ask/{attempt}"
        rng = generator(self.spec.seed, number, purpose)
        return self._optimizer.ask(number, rng), Origin.OPTIMIZER

    def _consider(
        self, number: int, proposal: Proposal, origin: Origin, *, logged: bool
    ) -> Taken | Reused | None:
        """Check one proposal; take the number, or log why not (draws are not logged)."""
        architecture = proposal.architecture
        try:
            computed = architecture.computed
            point = architecture.point_id
            broken = next((c for c in self._cheap if not c.holds(computed[c.metric])), None)
            reason = None if broken is None else str(broken)
        except ShapeError as error:
            reason = f"shape: {error}"
        if reason is not None:
            self._reject(number, proposal, origin, reason, logged=logged)
            return None
        self._rejected_in_row = 0
        place = self._knowledge.place_of(point)
        if place is not None:
            if logged:
                body = repeated_body(proposal, origin, place)
                self._record(EntryKind.ANSWERED, number, body, architecture)
            return None
        candidate = Candidate(proposal, origin, computed, point)
        known = None if self._sharing is None else self._sharing.recall(point)
        if known is not None:
            self._reuse(number, candidate, known)
            return Reused()
        self._take(number, candidate)
        return Taken(number, architecture)

    def _reuse(self, number: int, candidate: Candidate, known: KnownResult) -> None:
        metrics = {**known.metrics, **candidate.computed}
        violation = total_violation(self.spec.constraints, metrics)
        body = reused_body(candidate, -1 - self.standing.reused, known, violation)
        self._record(EntryKind.ANSWERED, number, body, candidate.proposal.architecture)

    def _take(self, number: int, candidate: Candidate) -> None:
        architecture = candidate.proposal.architecture
        self._draft.trials.append(
            NewTrial(
                number=number,
                vector=encode_vector(architecture.vector),
                graph_id=architecture.graph_id,
                point_id=candidate.point,
                computed=encode_body(candidate.computed),
            )
        )
        self._record(EntryKind.ASKED, number, asked_body(candidate, self.seq), architecture)

    def _reject(
        self, number: int, proposal: Proposal, origin: Origin, reason: str, *, logged: bool
    ) -> None:
        self._rejected_in_row += 1
        if logged:
            body = {
                "vector": proposal.architecture.vector,
                "constraint": reason,
                "origin": origin.value,
            }
            self._record(EntryKind.REJECTED, number, body, proposal.architecture)
        if self._rejected_in_row >= REJECTIONS:
            raise ConstraintError(
                f"{reason}: rejected {REJECTIONS:,} proposals in a row; loosen the constraint or "
                "make the space smaller",
                constraint=reason,
            )

    def _draw_unseen(self, number: int) -> Taken | Ended:
        """Draw by ourselves after ``PATIENCE`` proposals that could not be used."""
        for architecture in drawn(self.space, self.spec.seed, number):
            proposal = Proposal(architecture=architecture)
            asked = self._consider(number, proposal, Origin.DRAW, logged=False)
            if isinstance(asked, Taken):
                return asked
            if asked is not None and (reason := self.standing.over(number)) is not None:
                return Ended(reason)  # a result of another experiment reached the target
        self.standing.exhausted = True
        return Ended("space exhausted")

    # --- the log ---------------------------------------------------------------------------------

    def _record(
        self,
        kind: EntryKind,
        number: int,
        body: Mapping[str, Any],
        architecture: Architecture | None = None,
    ) -> None:
        entry = LogEntry(self.seq + 1, kind, number, encode_body(body))
        self._apply(entry, body, architecture)
        self._draft.entries.append(entry)

    def _apply(
        self, entry: LogEntry, body: Mapping[str, Any], architecture: Architecture | None
    ) -> None:
        """Learn one entry: the only place where the machine's knowledge changes."""
        self.seq = entry.seq
        match entry.kind:
            case EntryKind.ASKED:
                self._apply_asked(entry.number, body, self._member(body, architecture))
            case EntryKind.TOLD:
                self._apply_told(entry.number, body)
            case EntryKind.ANSWERED:
                self._apply_answered(body, self._member(body, architecture))
            case EntryKind.REJECTED:
                self._apply_rejected(body, self._member(body, architecture))
            case EntryKind.REPORTED:
                self._apply_reported(entry.number, body)
            case EntryKind.CANCELLED:
                self.pending.pop(entry.number, None)
                self._computed.pop(entry.number, None)
                self.reported.pop(entry.number, None)
                self.standing.cancelled()
                self._optimizer.observe(Cancelled(number=entry.number))
            case EntryKind.PAUSED | EntryKind.PROMOTED | EntryKind.SWITCHED:
                raise NotImplementedError(f"log entry {entry.kind} is not written yet")

    def _member(self, body: Mapping[str, Any], architecture: Architecture | None) -> Architecture:
        if architecture is not None:
            return architecture
        return self.space.architecture(tuple(body["vector"]))

    def _apply_asked(
        self, number: int, body: Mapping[str, Any], architecture: Architecture
    ) -> None:
        self._count_start(body)
        self._reused = 0
        self.next_number = number + 1
        self.pending[number] = architecture
        self._computed[number] = body["computed"]
        self._knowledge.add(number, body["point"])
        self.standing.asked()
        self._optimizer.observe(
            Asked(
                number=number,
                architecture=architecture,
                parents=tuple(body.get("parents", ())),
                note=body.get("note"),
            )
        )

    def _apply_answered(self, body: Mapping[str, Any], architecture: Architecture) -> None:
        self._count_start(body)
        source = body["source"]
        place = body["reused"] if source is None else source
        if "metrics" in body:
            self._learn_reused(place, body)
        else:
            self.standing.duplicates += 1
        self._optimizer.observe(
            Answered(
                architecture=architecture,
                source=source,
                values=self._knowledge.values(place),
                violation=self._knowledge.violation(place),
            )
        )

    def _learn_reused(self, place: int, body: Mapping[str, Any]) -> None:
        self._reused += 1
        metrics = {**body["metrics"], **body["computed"]}
        values = minimised_values(self.spec.objectives, metrics)
        self._knowledge.add_reused(body["point"], values, body["violation"])
        self.standing.learn_reused(place, values, body["violation"])

    def _apply_rejected(self, body: Mapping[str, Any], architecture: Architecture) -> None:
        self._count_start(body)
        self.standing.rejections += 1
        self._optimizer.observe(Rejected(architecture=architecture, constraint=body["constraint"]))

    def _apply_told(self, number: int, body: Mapping[str, Any]) -> None:
        self.pending.pop(number, None)
        self.reported.pop(number, None)
        computed = self._computed.pop(number, {})
        values = None
        if body["state"] in _SCORED:
            values = minimised_values(self.spec.objectives, {**body["metrics"], **computed})
            self._knowledge.tell(number, values, body["violation"])
        self.standing.told(number, _STATES[body["state"]], values, body)
        self._optimizer.observe(
            Told(
                number=number,
                values=values,
                violation=body["violation"],
                duration=body["duration"],
            )
        )

    def _apply_reported(self, number: int, body: Mapping[str, Any]) -> None:
        self.reported[number] = body["step"]
        metrics = {**body["metrics"], **self._computed.get(number, {})}
        names = [objective.name for objective in self.spec.objectives]
        if all(math.isfinite(metrics.get(name, math.nan)) for name in names):
            values = minimised_values(self.spec.objectives, metrics)
            self._optimizer.observe(Reported(number=number, step=body["step"], values=values))

    def _count_start(self, body: Mapping[str, Any]) -> None:
        if body["origin"] == Origin.START:
            self._started += 1


def encode_vector(vector: tuple[int | float | None, ...]) -> bytes:
    """The decision vector as a JSON array."""
    return encode_body(vector)  # type: ignore[arg-type]  # an array is JSON as well
