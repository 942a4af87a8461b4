"""Ask and tell by hand: the same machine, store and log, with a person as the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from morphml.clock import SystemClock
from morphml.errors import ExperimentError
from morphml.evaluation import MetricRules, check_result
from morphml.ids import ExperimentId, TaskId, new_token, task_id
from morphml.master.options import required_metrics
from morphml.master.ports import Store
from morphml.master.recovery import fresh_machine
from morphml.master.session import SessionKeeper, process_name
from morphml.search.changes import (
    AttemptEnd,
    AttemptResult,
    Changes,
    ExperimentEnd,
    Lease,
    NewTask,
    TaskThen,
)
from morphml.search.experiment import ExperimentSpec, ExperimentState, TrialState
from morphml.search.log import encode_body
from morphml.search.machine import Ended, Reused, SearchMachine
from morphml.search.outcome import Outcome
from morphml.seeds import training_seed
from morphml.space import Architecture, SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class HandTrial:
    """A trial that somebody evaluates outside."""

    number: int
    architecture: Architecture
    #: Hyperparameters by name.
    params: Mapping[str, object]
    #: Seed for the training.
    seed: int


class ManualDriver:
    """Drives an experiment by hand.

    Args:
        store: where it is.
        experiment: its id.
        spec: what fixes it.
        space: its space.
    """

    def __init__(
        self, store: Store, experiment: ExperimentId, spec: ExperimentSpec, space: SearchSpace
    ) -> None:
        self._store = store
        self._clock = SystemClock()
        self._spec = spec
        self._space = space
        self._keeper = SessionKeeper(store, self._clock, process_name(), may_block=True)
        try:
            self._right = store.acquire_driver(experiment, self._keeper.session)
            self._machine = self._folded()
        except BaseException:
            self._keeper.close()
            raise
        #: Whether memory may be ahead of the store, because a transaction failed.
        self._stale = False
        self._completed = False
        self._leases: dict[int, tuple[Lease, float]] = {}

    def ask(self) -> HandTrial | None:
        """The next trial, stored as asked; None when the search is over."""
        if self._completed:
            return None
        self._refresh()
        while isinstance(taken := self._machine.ask(), Reused):
            pass  # not met: what people tell is shared with nobody, nor answered by others
        draft = self._machine.drain()
        if isinstance(taken, Ended):
            end = self._end()
            if draft.entries or end is not None:
                self._commit(Changes(entries=draft.entries, end=end))
            return None
        now = self._clock.now()
        lease = Lease(token=new_token(), session=self._keeper.session)
        task = NewTask(
            id=self._task(taken.number),
            number=taken.number,
            to_epoch=self._machine.spec.max_epochs,
            rank=now,
            ready_at=now,
            lease=lease,
        )
        changes = Changes(entries=draft.entries, trials=draft.trials, tasks=(task,))
        self._commit(changes)
        self._leases[taken.number] = (lease, now)
        return self._hand_trial(taken.number, taken.architecture)

    def pending(self) -> list[HandTrial]:
        """Trials that were asked and not told, also by an earlier process."""
        return [self._hand_trial(n, a) for n, a in sorted(self._machine.pending.items())]

    def tell(self, number: int, metrics: Mapping[str, float] | float | None, error: str) -> None:
        """The result of a trial, or its failure; see ``Experiment.tell``."""
        if not self._completed:
            self._refresh()
        if number not in self._machine.pending:
            raise ExperimentError(
                f"trial {number} is not waiting for a result; waiting: "
                f"{sorted(self._machine.pending) or 'none'}"
            )
        now = self._clock.now()
        lease, began = self._lease_of(number)
        outcome = self._outcome(metrics, error, now - began)
        self._machine.tell(number, outcome)
        draft = self._machine.drain()
        succeeded = outcome.state is TrialState.COMPLETED
        ended = AttemptEnd(
            token=lease.token,
            task=self._task(number),
            number=number,
            result=AttemptResult.SUCCEEDED if succeeded else AttemptResult.FAILED,
            then=TaskThen.GONE,
            worker="by hand",
            started_at=began,
            duration_s=now - began,
            failure=None if outcome.failure is None else encode_body(outcome.failure),
        )
        self._commit(
            Changes(entries=draft.entries, updates=draft.updates, ended=(ended,), end=self._end())
        )
        del self._leases[number]

    def close(self) -> None:
        """End the session; what was asked and not told waits in the store."""
        self._keeper.close()

    # --- details ---------------------------------------------------------------------------------

    def _folded(self) -> SearchMachine:
        machine = fresh_machine(self._spec, self._space)
        machine.fold(self._store.log(self._right.experiment))
        return machine

    def _refresh(self) -> None:
        """After a transaction that failed: take the experiment again, and fold what is stored."""
        if self._stale:
            self._right = self._store.acquire_driver(self._right.experiment, self._keeper.session)
            self._machine = self._folded()
            self._stale = False

    def _commit(self, changes: Changes) -> None:
        """Store one transaction; if that fails, what is in memory counts no more."""
        self._stale = True
        self._store.commit(self._right, changes)
        self._stale = False
        self._completed = changes.end is not None

    def _outcome(
        self, metrics: Mapping[str, float] | float | None, error: str, duration_s: float
    ) -> Outcome:
        if metrics is None:
            failure = {"kind": "user_error", "error_type": "told by hand", "message": error}
            return Outcome(state=TrialState.FAILED, duration_s=duration_s, failure=failure)
        rules = MetricRules(required=required_metrics(self._machine.spec))
        return Outcome(
            state=TrialState.COMPLETED,
            metrics=check_result(metrics, rules),
            duration_s=duration_s,
        )

    def _lease_of(self, number: int) -> tuple[Lease, float]:
        if number not in self._leases:
            self._lease_again()
        found = self._leases.get(number)
        if found is None:
            raise ExperimentError(
                f"trial {number} cannot be told yet: its task waits for a retry, or is held by "
                "another process; try again in some seconds"
            )
        return found

    def _lease_again(self) -> None:
        claimed = self._store.claim(
            self._right.experiment, self._keeper.session, limit=len(self._machine.pending)
        )
        now = self._clock.now()
        for task in claimed:
            self._leases[task.number] = (Lease(token=task.token, session=self._keeper.session), now)

    def _end(self) -> ExperimentEnd | None:
        """The end of the experiment, where nothing is asked any more and nothing waits."""
        machine = self._machine
        reason = machine.standing.over(machine.next_number)
        if machine.pending or reason is None:
            return None
        return ExperimentEnd(state=ExperimentState.COMPLETED, reason=reason)

    def _task(self, number: int) -> TaskId:
        return task_id(self._right.experiment, number, 0)

    def _hand_trial(self, number: int, architecture: Architecture) -> HandTrial:
        return HandTrial(
            number=number,
            architecture=architecture,
            params=architecture.hyper,
            seed=training_seed(self._machine.spec.seed, number),
        )
