"""The experiment machine: budget, constraints, duplicates and the log, without any I/O.

``ask`` and ``tell`` change what the machine knows and collect what must be stored; the driver
commits it with ``drain`` and, if the store refuses, drops the machine and folds the log anew. Live
calls and the fold learn through the same ``Fold``, so memory after a restart is memory before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from morphml.errors import ConstraintError, ShapeError
from morphml.optimizers import Optimizer, Proposal
from morphml.search.asked import Ended, Reused, Taken
from morphml.search.bodies import Candidate, asked_body, repeated_body, reused_body, told_body
from morphml.search.changes import NewResult, NewTrial, TrialUpdate
from morphml.search.constraints import total_violation
from morphml.search.draft import Draft, Drafting
from morphml.search.drawing import drawn
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.fidelity.contract import Fidelity, Promotion
from morphml.search.fold import Fold
from morphml.search.log import EntryKind, LogEntry, Origin, decode_body, encode_body
from morphml.search.outcome import Outcome, Rest
from morphml.search.sharing import KnownResult, Sharing
from morphml.seeds import generator
from morphml.space import Architecture, SearchSpace

__all__ = ["Draft", "Ended", "Reused", "SearchMachine", "Taken", "encode_vector"]

#: Duplicates or rejections in a row after which the search draws by itself.
PATIENCE = 64
#: Rejections in a row after which the constraint is named in an error.
REJECTIONS = 1_000


class SearchMachine:
    """One experiment's search.

    Args:
        spec: what fixes the search.
        space: the space that ``spec`` describes.
        optimizer: a fresh optimizer; it learns only from entries applied here.
        sharing: results of other experiments; None where nothing is shared.
        fidelity: a fresh rule that decides who gets more epochs; None: every trial is a full one.
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        space: SearchSpace,
        optimizer: Optimizer,
        sharing: Sharing | None = None,
        fidelity: Fidelity | None = None,
    ) -> None:
        self.spec = spec
        self.space = space
        self._known = Fold(spec, space, optimizer, fidelity)
        self.standing = self._known.standing
        #: Who runs in segments, and who waits.
        self.segments = self._known.segments
        #: Trials that have not ended and do not wait at a rung, with their architectures.
        self.pending = self._known.pending
        #: Highest step reported by each trial that has not ended.
        self.reported = self._known.reported
        self._cheap = tuple(c for c in spec.constraints if c.cheap)
        self._sharing = sharing
        self._rejected_in_row = 0
        self._draft = Drafting()

    @property
    def seq(self) -> int:
        """Sequence number of the last log entry."""
        return self._known.seq

    @property
    def next_number(self) -> int:
        """The number that the next trial takes."""
        return self._known.next_number

    @property
    def optimizer_version(self) -> int:
        """Version of the optimizer's rule."""
        return self._known.optimizer.version

    @property
    def has_room(self) -> bool:
        """Whether one more trial fits the budget of epochs if all pending ones use up theirs.

        Where it does not, the driver waits for one to end: it may have used fewer.
        """
        budget = self.standing.budget.epochs
        if budget is None or not self.pending:
            return True
        return self.standing.epochs + self.segments.outstanding(self.pending) < budget

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
        metrics = {**measured, **self._known.computed.get(number, {})}
        violation = total_violation(self.spec.constraints, metrics) if measured else 0.0
        outcome = self.segments.whole(number, outcome)
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

    def stops(self, number: int, step: int, metrics: Mapping[str, float]) -> bool:
        """Whether trial ``number`` is to end early for what it reports now; changes nothing."""
        result = self._known.measured(number, metrics)
        rule = self.segments.rule
        return rule is not None and result is not None and rule.stops(number, step, result)

    def report(self, number: int, step: int, metrics: Mapping[str, float]) -> None:
        """Record that trial ``number`` reported after ``step`` epochs, and whether it is to end."""
        body: dict[str, object] = {"step": step, "metrics": dict(metrics)}
        if self.stops(number, step, metrics):
            body["order"] = "stop"
        self._record(EntryKind.REPORTED, number, body)

    def pause(self, number: int, rest: Rest) -> None:
        """Trial ``number`` waits at the end of its segment, with what it came to."""
        self._draft.updates.append(
            self.segments.resting(number, rest, self._known.computed[number])
        )
        self._record(EntryKind.PAUSED, number, rest.body())

    def promote(self) -> Promotion | None:
        """Let the trial go on whose promotion is due, or None; it is pending again."""
        rule = self.segments.rule
        if rule is None or not self.segments.paused or self.standing.enough() is not None:
            return None
        if not self.has_room or (due := rule.due()) is None:
            return None
        self._draft.updates.append(self.segments.going_on(due, self._known.computed[due.number]))
        self._record(EntryKind.PROMOTED, due.number, self.segments.next_segment(due))
        return due

    def end_paused(self) -> None:
        """End all trials that still wait: nothing will promote them."""
        for number in sorted(self.segments.paused):
            self.tell(number, self.segments.stopped_at_rung(number))

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
            self._known.learn(entry, decode_body(entry), None)

    # --- proposals -------------------------------------------------------------------------------

    def _propose(self, number: int, attempt: int) -> tuple[Proposal, Origin]:
        if self._known.started < len(self.spec.start):
            start = self.space.architecture(self.spec.start[self._known.started])
            return Proposal(architecture=start), Origin.START
        purpose = f"ask/{self._known.reused}/{attempt}" if self._known.reused else f"ask/{attempt}"
        rng = generator(self.spec.seed, number, purpose)
        return self._known.optimizer.ask(number, rng), Origin.OPTIMIZER

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
        place = self._known.knowledge.place_of(point)
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
        body = asked_body(candidate, self.seq)
        if self.segments.rule is not None:
            body["bracket"] = self.segments.rule.bracket()
        self._record(EntryKind.ASKED, number, body, architecture)

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
        self._known.learn(entry, body, architecture)
        self._draft.entries.append(entry)


def encode_vector(vector: tuple[int | float | None, ...]) -> bytes:
    """The decision vector as a JSON array."""
    return encode_body(vector)  # type: ignore[arg-type]  # an array is JSON as well
