"""Runs of one scenario and policy with several seeds, as means with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from morphml.errors import CallerError
from morphml.testing.simulator.outcome import Outcome, Wait

#: Student's t at 97.5 % for 1, 2, ... degrees of freedom; 1.96 for all beyond the table.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds."""

    value: float
    #: Half the width of the 95 % confidence interval (Student's t); 0 for a single seed.
    half: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """The mean of at least one value."""
        mean = sum(values) / len(values)
        if len(values) == 1:
            return cls(mean)
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        freedom = len(values) - 1
        t = _T[freedom - 1] if freedom <= len(_T) else 1.96
        return cls(mean, t * math.sqrt(variance / len(values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Several seeds of one scenario and policy; see ``Outcome`` for what each figure means."""

    scenario: str
    policy: str
    seeds: int
    workers: int
    slots: int
    tasks: int
    makespan_s: Mean
    bound_s: Mean
    over_bound: Mean
    slot_use: Mean
    useful: Mean
    idle: Mean
    fairness: Mean
    #: By priority, highest first; means of the seeds' medians and 95th percentiles.
    waits: Mapping[int, Wait]
    lost: Mean
    adopted: Mean
    given_up: Mean
    decision_us: Mean

    @property
    def decisions_per_s(self) -> float:
        """Decisions that one processor makes in a second."""
        return 1e6 / self.decision_us.value if self.decision_us.value else 0.0

    def document(self) -> dict[str, object]:
        """All of it as plain values for JSON; means as ``[mean, half the interval]``."""
        means = {
            name: [value.value, value.half]
            for name in _MEANS
            if isinstance(value := getattr(self, name), Mean)
        }
        return {
            "scenario": self.scenario,
            "policy": self.policy,
            "seeds": self.seeds,
            "workers": self.workers,
            "slots": self.slots,
            "tasks": self.tasks,
            **means,
            "decisions_per_s": self.decisions_per_s,
            "waits_s": {
                str(priority): {"median": wait.median_s, "p95": wait.p95_s}
                for priority, wait in self.waits.items()
            },
        }


_MEANS = (
    "makespan_s",
    "bound_s",
    "over_bound",
    "slot_use",
    "useful",
    "idle",
    "fairness",
    "lost",
    "adopted",
    "given_up",
    "decision_us",
)


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """The means over runs of one scenario and policy.

    Raises:
        CallerError: there is none, or they are of different scenarios or policies.
    """
    kinds = {(each.scenario, each.policy) for each in outcomes}
    if len(kinds) != 1:
        raise CallerError(f"a summary is of one scenario and policy, got {sorted(kinds)}")
    first = outcomes[0]

    def mean(figure: Callable[[Outcome], float]) -> Mean:
        return Mean.of([figure(each) for each in outcomes])

    return Summary(
        scenario=first.scenario,
        policy=first.policy,
        seeds=len(outcomes),
        workers=first.workers,
        slots=first.slots,
        tasks=first.tasks,
        makespan_s=mean(lambda each: each.makespan_s),
        bound_s=mean(lambda each: each.bound_s),
        over_bound=mean(lambda each: each.over_bound),
        slot_use=mean(lambda each: each.slot_use),
        useful=mean(lambda each: each.useful),
        idle=mean(lambda each: each.idle),
        fairness=mean(lambda each: each.fairness),
        waits=_waits(outcomes),
        lost=mean(lambda each: each.lost),
        adopted=mean(lambda each: each.adopted),
        given_up=mean(lambda each: each.tasks - each.succeeded),
        decision_us=mean(lambda each: each.decision_us),
    )


def _waits(outcomes: Sequence[Outcome]) -> dict[int, Wait]:
    found = {}
    for priority in sorted({key for each in outcomes for key in each.waits}, reverse=True):
        waits = [each.waits[priority] for each in outcomes if priority in each.waits]
        found[priority] = Wait(
            median_s=sum(wait.median_s for wait in waits) / len(waits),
            p95_s=sum(wait.p95_s for wait in waits) / len(waits),
        )
    return found
