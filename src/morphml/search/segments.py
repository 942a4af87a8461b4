"""Where each trial stands that runs in segments: what is done, and where its segment ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from morphml.optimizers.pareto import Result
from morphml.search.changes import TrialUpdate
from morphml.search.constraints import total_violation
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.fidelity.contract import Fidelity, Promotion, RungCount
from morphml.search.log import encode_body
from morphml.search.objectives import minimised_values
from morphml.search.outcome import Outcome, Rest
from morphml.space import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A trial between its beginning and its end."""

    #: Which of its segments runs, or ran last; from 0.
    segment: int = 0
    #: Epochs done before this segment, and the epoch at which it ends.
    from_epoch: int = 0
    to_epoch: int
    #: Seconds of evaluation of the earlier segments, and what the last of them came to.
    duration_s: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)


class Segments:
    """All trials of a search that a rule of fidelity looks after; a fold over the log.

    Args:
        spec: what fixes the search.
        rule: decides who goes on; None where every trial is a full one.
    """

    def __init__(self, spec: ExperimentSpec, rule: Fidelity | None) -> None:
        self.rule = rule
        self._spec = spec
        #: Trials that wait for a promotion, with their architectures.
        self.paused: dict[int, Architecture] = {}
        #: Trials that were ordered to stop and have not ended yet.
        self.stopping: set[int] = set()
        self._stages: dict[int, Stage] = {}
        self._whole = Stage(to_epoch=spec.max_epochs)

    @property
    def pauses(self) -> bool:
        """Whether trials run in segments."""
        return self.rule is not None and self.rule.pauses

    @property
    def counts(self) -> tuple[RungCount, ...]:
        """The rungs as people see them; none where every trial is a full one."""
        return () if self.rule is None else self.rule.counts()

    def stage(self, number: int) -> Stage:
        """Where a trial stands that has not ended."""
        return self._stages.get(number, self._whole)

    def outstanding(self, pending: Mapping[int, Architecture]) -> int:
        """Epochs that trials under way may still use up."""
        if not self._stages:
            return len(pending) * self._spec.max_epochs
        stages = (self.stage(number) for number in pending)
        return sum(stage.to_epoch - stage.from_epoch for stage in stages)

    def result(self, metrics: Mapping[str, float]) -> Result | None:
        """What metrics on the way come to; None where an objective is missing.

        A constraint whose metric is not there yet is not held against the trial.
        """
        spec = self._spec
        if not all(math.isfinite(metrics.get(o.name, math.nan)) for o in spec.objectives):
            return None
        known = tuple(c for c in spec.constraints if c.metric in metrics)
        violation = total_violation(known, metrics)
        return Result(violation, minimised_values(spec.objectives, metrics))

    # --- what is to be stored --------------------------------------------------------------------

    def whole(self, number: int, outcome: Outcome) -> Outcome:
        """The end of a trial with the seconds of all its segments."""
        stage = self._stages.get(number)
        if stage is None:
            return outcome
        return replace(outcome, duration_s=outcome.duration_s + stage.duration_s)

    def resting(self, number: int, rest: Rest, computed: Mapping[str, float]) -> TrialUpdate:
        """The row of a trial that waits from now on."""
        return TrialUpdate(
            number=number,
            state=TrialState.PAUSED,
            metrics=encode_body({**rest.metrics, **computed}),
            duration_s=self.stage(number).duration_s + rest.duration_s,
            epochs=rest.step,
        )

    def going_on(self, due: Promotion, computed: Mapping[str, float]) -> TrialUpdate:
        """The row of a trial that waits no more; it keeps what it came to so far."""
        stage = self.stage(due.number)
        return TrialUpdate(
            number=due.number,
            state=TrialState.PENDING,
            metrics=encode_body({**stage.metrics, **computed}),
            duration_s=stage.duration_s,
            epochs=due.from_epoch,
        )

    def next_segment(self, due: Promotion) -> dict[str, object]:
        """The body of the log entry ``promoted``."""
        segment = self.stage(due.number).segment + 1
        return {"segment": segment, "from": due.from_epoch, "to": due.to_epoch}

    def stopped_at_rung(self, number: int) -> Outcome:
        """The end of a trial that waits, where nothing will promote it."""
        stage = self.stage(number)
        return Outcome(
            state=TrialState.PRUNED, metrics=stage.metrics, epochs=stage.to_epoch, spent=0
        )

    # --- the fold --------------------------------------------------------------------------------

    def asked(self, number: int, bracket: int) -> None:
        """A trial began in a bracket."""
        if self.rule is not None:
            self.rule.began(number, bracket)
            if self.rule.pauses:
                self._stages[number] = Stage(to_epoch=self.rule.first_epoch(bracket))

    def reported(self, number: int, body: Mapping[str, Any], result: Result) -> None:
        """A trial reported."""
        if self.rule is None or self.rule.pauses:
            return
        self.rule.measured(number, body["step"], result)
        if body.get("order") == "stop":
            self.stopping.add(number)

    def waits(
        self, number: int, body: Mapping[str, Any], architecture: Architecture, result: Result
    ) -> None:
        """A trial waits at the end of its segment."""
        assert self.rule is not None
        stage = self.stage(number)
        self.paused[number] = architecture
        self._stages[number] = replace(
            stage, duration_s=stage.duration_s + body["duration"], metrics=body["metrics"]
        )
        self.rule.measured(number, body["step"], result)

    def promoted(self, number: int, body: Mapping[str, Any]) -> Architecture:
        """A trial goes on; its architecture."""
        assert self.rule is not None
        self.rule.promoted(number)
        self._stages[number] = replace(
            self.stage(number),
            segment=body["segment"],
            from_epoch=body["from"],
            to_epoch=body["to"],
        )
        return self.paused.pop(number)

    def ended(self, number: int, full: Result | None) -> bool:
        """A trial is over, with the result of a full one or without; whether it was paused."""
        if self.rule is None:
            return False
        self._stages.pop(number, None)
        self.stopping.discard(number)
        if full is not None:
            self.rule.measured(number, self._spec.max_epochs, full)
        self.rule.ended(number)
        return self.paused.pop(number, None) is not None
