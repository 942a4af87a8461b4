"""Whether a task whose attempt failed is tried again, and when.

Which budget a failure uses up stands in ``failures.ANSWERS``.

| budget | tried again | then |
|---|---|---|
| own | once, on another worker; a user error not when two workers have shown it | failed |
| machines | at once, then after 5, 10, 20 s; 3 times | dead |
| innocent | as above; 8 times | dead |
| none | never | failed |

A task for whose quarantine four attempts count is dead, whatever is left of its budgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from morphml.scheduling.failures import ANSWERS, Failure, RetryBudget
from morphml.seeds import generator

#: Workers that must have shown an error before it counts as the task's own fault.
WIDESPREAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """How often and when; the defaults are the promise of the design."""

    #: Retries after failures for which the machines are to blame.
    infrastructure_retries: int = 3
    #: Retries after failures for which nobody is: its worker died with others, or was taken away.
    innocent_retries: int = 8
    #: Seconds before the first, second ... of either; the last one repeats.
    delays_s: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0)
    #: Share of a delay that chance adds at most, so that a crowd does not come back at once.
    jitter: float = 0.1
    #: Retries on another worker after the task's own failures.
    own_retries: int = 1
    #: Attempts that count for its quarantine, after which a task is tried no more.
    quarantine_after: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The task is pending again."""

    #: Seconds to wait, >= 0.
    delay_s: float
    #: Workers that should not run it, as long as another one can.
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The task ends: ``failed`` by its own fault, ``dead`` by the machines'."""

    state: Literal["failed", "dead"]


RetryDecision: TypeAlias = Retry | GiveUp


class ErrorSightings:
    """On how many workers each error of an experiment was seen; the counts stop at two."""

    def __init__(self) -> None:
        self._workers: dict[str, tuple[str, ...]] = {}

    def add(self, failure: Failure) -> int:
        """Count one failure; on how many workers its error was seen by now, 0 without a digest."""
        if not failure.digest:
            return 0
        workers = self._workers.get(failure.digest, ())
        worker = failure.witness
        if worker not in workers and len(workers) < WIDESPREAD:
            workers = (*workers, worker)
            self._workers[failure.digest] = workers
        return len(workers)


def decide_retry(
    history: Sequence[Failure],
    rule: RetryRule,
    *,
    seed: int,
    seen_on: int = 0,
    elsewhere: bool = True,
) -> RetryDecision:
    """What follows the last failure of ``history``.

    Args:
        history: the task's failed attempts, oldest first; at least one.
        rule: how often and when.
        seed: where the jitter comes from, with the number of failures.
        seen_on: workers of the experiment that showed the last error's digest, by any task.
        elsewhere: whether a worker that has not failed this task could run it.
    """
    last = history[-1]
    if sum(each.counts_for_quarantine for each in history) >= rule.quarantine_after:
        return GiveUp(state="dead")
    match last.budget:
        case RetryBudget.MACHINES:
            return _later(history, rule, rule.infrastructure_retries, seed)
        case RetryBudget.INNOCENT:
            return _later(history, rule, rule.innocent_retries, seed)
        case RetryBudget.OWN:
            widespread = ANSWERS[last.kind].ends_when_widespread and seen_on >= WIDESPREAD
            again = not widespread and elsewhere and _spent(history) <= rule.own_retries
        case RetryBudget.NONE:
            again = False
        case _:
            assert_never(last.budget)
    return Retry(delay_s=0.0, avoid=workers_to_avoid(history)) if again else GiveUp(state="failed")


def workers_to_avoid(history: Sequence[Failure]) -> tuple[str, ...]:
    """Names of the workers that a retry better avoids, sorted."""
    return tuple(sorted({f.worker for f in history if ANSWERS[f.kind].avoids_worker}))


def _spent(history: Sequence[Failure]) -> int:
    """How much of the last failure's budget is used up, that failure included."""
    own = (RetryBudget.OWN, RetryBudget.NONE)
    budgets = own if history[-1].budget in own else (history[-1].budget,)
    return sum(failure.budget in budgets for failure in history)


def _later(history: Sequence[Failure], rule: RetryRule, most: int, seed: int) -> RetryDecision:
    count = _spent(history)
    if count > most:
        return GiveUp(state="dead")
    delay = rule.delays_s[min(count, len(rule.delays_s)) - 1]
    chance = float(generator(seed, len(history), "retry").random())
    delay_s = delay * (1.0 + rule.jitter * chance)
    return Retry(delay_s=delay_s, avoid=workers_to_avoid(history))
