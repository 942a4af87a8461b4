"""Whether a task whose attempt failed is tried again, and when.

| kind | tried again | then |
|---|---|---|
| infrastructure, lost worker, preempted | at once, then after 5, 10, 20 s; 3 times | dead |
| user error | once, on another worker, unless two workers have shown the same error | failed |
| crash, out of memory | once, on another worker: the node may be at fault | failed |
| time limit | never: it would take as long again | failed |

User error, crash and out of memory share the one retry. The two budgets are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from morphml.scheduling.failures import INFRASTRUCTURE_KINDS, Failure, FailureKind
from morphml.seeds import generator

#: Workers that must have shown an error before it counts as the task's own fault.
WIDESPREAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """How often and when; the defaults are the promise of the design."""

    #: Retries after infrastructure failures.
    infrastructure_retries: int = 3
    #: Seconds before the first, second ... of them; the last one repeats.
    delays_s: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0)
    #: Share of a delay that chance adds at most, so that a crowd does not come back at once.
    jitter: float = 0.1
    #: Retries on another worker after the task's own failures.
    own_retries: int = 1


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
        if failure.worker not in workers and len(workers) < WIDESPREAD:
            workers = (*workers, failure.worker)
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
    kind = history[-1].kind
    match kind:
        case FailureKind.INFRASTRUCTURE | FailureKind.LOST_WORKER | FailureKind.PREEMPTED:
            return _after_infrastructure(history, rule, seed)
        case FailureKind.USER_ERROR:
            hopeful = seen_on < WIDESPREAD
        case FailureKind.CRASH | FailureKind.OUT_OF_MEMORY:
            hopeful = True
        case FailureKind.TIME_LIMIT:
            hopeful = False
        case _:
            assert_never(kind)
    own = [failure for failure in history if failure.kind not in INFRASTRUCTURE_KINDS]
    if hopeful and elsewhere and len(own) <= rule.own_retries:
        return Retry(delay_s=0.0, avoid=workers_to_avoid(history))
    return GiveUp(state="failed")


def workers_to_avoid(history: Sequence[Failure]) -> tuple[str, ...]:
    """Names of the workers on which the task failed by its own fault, sorted."""
    own = {f.worker for f in history if f.kind not in INFRASTRUCTURE_KINDS}
    return tuple(sorted(own))


def _after_infrastructure(history: Sequence[Failure], rule: RetryRule, seed: int) -> RetryDecision:
    count = sum(failure.kind in INFRASTRUCTURE_KINDS for failure in history)
    if count > rule.infrastructure_retries:
        return GiveUp(state="dead")
    delay = rule.delays_s[min(count, len(rule.delays_s)) - 1]
    chance = float(generator(seed, len(history), "retry").random())
    delay_s = delay * (1.0 + rule.jitter * chance)
    return Retry(delay_s=delay_s, avoid=workers_to_avoid(history))
