"""Turns what an engine tells into machine calls and rows of the next transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, assert_never

from morphml.clock import Clock
from morphml.engines import port
from morphml.master.artifacts import RunArtifacts
from morphml.master.batch import Batch
from morphml.master.fidelity_hints import FidelityHints
from morphml.master.flights import Flight, Flights
from morphml.master.ranking import Ranking
from morphml.master.retries import Retries
from morphml.optimizers.events import JSON
from morphml.scheduling.faults.experiment import (
    AttemptBroke,
    EvaluatorBegan,
    TrialBroke,
    TrialWorked,
)
from morphml.scheduling.retry import GiveUp, Retry
from morphml.search.changes import AttemptEnd, AttemptResult, ReturnedTask, TaskThen
from morphml.search.experiment import TrialState
from morphml.search.log import encode_body
from morphml.search.machine import SearchMachine
from morphml.search.outcome import Outcome, Rest

_SCORED = (TrialState.COMPLETED, TrialState.PRUNED)
_FAILED = (TrialState.FAILED, TrialState.DEAD)


class _Ending(NamedTuple):
    """What the end of an attempt means for its task and its trial."""

    result: AttemptResult
    then: TaskThen = TaskThen.GONE
    #: None where the trial goes on.
    outcome: Outcome | None = None
    failure: Mapping[str, JSON] | None = None
    delay_s: float = 0.0


class Collector:
    """Collects events of one experiment.

    Args:
        machine: learns results.
        flights: attempts in the air; those that end are landed.
        artifacts: takes checkpoints and captured output.
        clock: hour of retries.
        retries: which failures are retried.
        rank: order of the retries among other tasks.
    """

    def __init__(
        self,
        machine: SearchMachine,
        flights: Flights,
        artifacts: RunArtifacts,
        clock: Clock,
        retries: Retries,
        rank: Ranking,
    ) -> None:
        self._machine = machine
        self._flights = flights
        self._artifacts = artifacts
        self._clock = clock
        self._retries = retries
        self._rank = rank
        self._hints = FidelityHints(machine.spec)
        objectives = machine.spec.objectives
        self._required = {each.name for each in objectives if not each.computed}
        counts = machine.standing.counts
        #: Whether the run is worth going on with.
        self.breaker = retries.faults.begin(
            rank.experiment,
            worked=sum(counts[state] for state in _SCORED),
            failed=sum(counts[state] for state in _FAILED),
        )

    def collect(self, event: port.EngineEvent, batch: Batch) -> None:
        """Take one event in; what must be stored is added to ``batch``."""
        match event:
            case port.Finished():
                self._finished(event, batch)
            case port.Reported():
                self._reported(event, batch)
            case port.Checkpointed():
                self._checkpointed(event, batch)
            case port.Logged():
                self._logged(event)
            case port.Started():
                self.breaker.step(EvaluatorBegan())
                flight = self._flights.get(event.token)
                if flight is not None:
                    flight.worker = event.worker
            case port.WorkerGone():
                pass  # the engine fills the slot; each attempt that it had ends by itself
            case _:
                assert_never(event)

    # --- reports, logs, checkpoints --------------------------------------------------------------

    def judge(self, event: port.Reported) -> port.Order:
        """Take a report in and say at once what follows from it; nothing is stored yet."""
        flight = self._flights.get(event.token)
        if flight is None:
            return port.Order.CONTINUE
        # A step that is known was told before, by an attempt that was lost, or asked about here.
        if event.step > self._machine.reported.get(flight.number, -1):
            self._machine.report(flight.number, event.step, event.metrics)
        stops = flight.number in self._machine.segments.stopping
        return port.Order.STOP if stops else port.Order.CONTINUE

    def _reported(self, event: port.Reported, batch: Batch) -> None:
        order = self.judge(event)
        if order is not port.Order.CONTINUE:
            batch.orders.append((event.token, order))

    def _checkpointed(self, event: port.Checkpointed, batch: Batch) -> None:
        flight = self._flights.get(event.token)
        if flight is None:
            return
        pointer = self._artifacts.keep_checkpoint(flight, event)
        if pointer is None:
            flight.missed = event.step
            return
        if self._flights.die_with_us and event.step == flight.to_epoch and self._rests(flight):
            # Were the attempt lost before its end is stored, nothing could be measured after this.
            flight.last = pointer
            return
        flight.checkpoint = pointer
        batch.checkpoints.append(pointer)

    def _logged(self, event: port.Logged) -> None:
        flight = self._flights.get(event.token)
        if flight is not None:
            self._artifacts.append_output(flight, event.stream, event.text)

    # --- ends ------------------------------------------------------------------------------------

    def _finished(self, event: port.Finished, batch: Batch) -> None:
        flight = self._flights.land(event.token)
        if flight is None:
            batch.stale.append(event.token)
            return
        if isinstance(event.outcome, port.Returned):
            batch.returned.append(ReturnedTask(token=event.token, number=flight.number))
            self._flights.wait(flight.task, self._clock.now())
            return
        ending = self._ending(flight, event)
        ready_at = self._clock.now() + ending.delay_s
        batch.ended.append(
            AttemptEnd(
                token=event.token,
                task=flight.task,
                number=flight.number,
                result=ending.result,
                then=ending.then,
                worker=event.worker,
                started_at=event.started_at,
                duration_s=event.duration_s,
                failure=None if ending.failure is None else encode_body(ending.failure),
                ready_at=ready_at,
                rank=0.0 if ending.then is TaskThen.GONE else self._rank(ready_at),
            )
        )
        if ending.result is AttemptResult.PAUSED:
            self._rest(flight, event, batch)
        if ending.outcome is not None:
            self._flights.failures.pop(flight.task, None)
            self._end_trial(flight.number, ending.outcome)
            if flight.checkpoint is not None:
                batch.closed[flight.number] = flight.checkpoint.key
        if ending.then is TaskThen.RETRY:
            self._flights.wait(flight.task, ready_at)

    def _rests(self, flight: Flight) -> bool:
        """Whether the segment's end is a rung."""
        spec = self._machine.spec
        return self._machine.segments.pauses and flight.to_epoch < spec.max_epochs

    def _rest(self, flight: Flight, event: port.Finished, batch: Batch) -> None:
        """A trial waits at a rung, with its checkpoint."""
        assert isinstance(event.outcome, port.PausedAt)
        if flight.last is not None:
            flight.checkpoint = flight.last
            batch.checkpoints.append(flight.last)
        saved = flight.checkpoint
        whole = saved is not None and saved.step == event.outcome.step == flight.to_epoch
        if saved is not None and whole:
            batch.resting[flight.number] = saved.key
            self._artifacts.share(saved)
        elif flight.missed == flight.to_epoch:
            self._hints.checkpoint_elsewhere(flight.number)
        else:
            self._hints.no_checkpoint(flight.number, flight.to_epoch)
        self._flights.failures.pop(flight.task, None)
        self._machine.pause(
            flight.number,
            Rest(
                step=flight.to_epoch,
                metrics=event.outcome.metrics,
                duration_s=event.duration_s,
                spent=flight.to_epoch - self._began_at(flight),
                saved=saved.step if saved is not None else 0,
            ),
        )

    def _began_at(self, flight: Flight) -> int:
        """Epochs that the attempt did not have to train."""
        if flight.from_epoch is not None:
            return min(flight.from_epoch, flight.to_epoch)
        return self._machine.segments.stage(flight.number).from_epoch

    def end_paused(self, batch: Batch) -> None:
        """The search is over: trials that still wait end as they are."""
        batch.closed.update(dict.fromkeys(self._machine.segments.paused))
        self._machine.end_paused()

    def _end_trial(self, number: int, outcome: Outcome) -> None:
        self._artifacts.forget_output(number)
        if outcome.state is TrialState.CANCELLED:
            # No fault of the architecture: an optimizer is not to rank it behind all others.
            self._machine.cancel(number)
        else:
            self._machine.tell(number, outcome)

    def committed(self, batch: Batch) -> None:
        """Delete checkpoints that nobody needs any more, now that the results are stored."""
        for number, key in batch.resting.items():
            self._artifacts.keep_only(number, key)
        if batch.closed:
            standing = self._machine.standing
            best = None if standing.best is None else standing.best[0]

            def needed(number: int) -> bool:
                if number in self._machine.pending or number in self._machine.segments.paused:
                    return True
                return number == best or number in standing.front

            for number, newest in batch.closed.items():
                if newest is not None:
                    self._artifacts.keep_only(number, newest)
            self._artifacts.prune_checkpoints(batch.closed, needed)

    def _ending(self, flight: Flight, event: port.Finished) -> _Ending:
        outcome = event.outcome
        match outcome:
            case port.Succeeded():
                return self._ended(flight, event, AttemptResult.SUCCEEDED, outcome.metrics)
            case port.Stopped():
                return self._ended(flight, event, AttemptResult.STOPPED, outcome.metrics)
            case port.Failed():
                return self._failed(flight, event, outcome)
            case port.PausedAt():
                return _Ending(AttemptResult.PAUSED, TaskThen.PAUSED)
            case port.Cancelled():
                state = Outcome(state=TrialState.CANCELLED, duration_s=event.duration_s)
                return _Ending(AttemptResult.CANCELLED, outcome=state)
            case port.Returned():
                raise AssertionError("nothing ended: the task went back")
            case _:
                assert_never(outcome)

    def _ended(
        self,
        flight: Flight,
        event: port.Finished,
        result: AttemptResult,
        metrics: Mapping[str, float],
    ) -> _Ending:
        stopped = result is AttemptResult.STOPPED
        epochs = self._machine.reported.get(flight.number, 0)
        spent = None
        if self._machine.segments.rule is not None:
            epochs = self._hints.epochs_of(flight, epochs, stopped=stopped)
            spent = max(epochs - self._began_at(flight), 0)
        state = TrialState.PRUNED if stopped else TrialState.COMPLETED
        if stopped and not self._required.issubset(metrics):
            state = TrialState.CANCELLED  # before there was anything to rank it by
        else:
            self.breaker.step(TrialWorked())
        outcome = Outcome(
            state=state,
            metrics=metrics,
            duration_s=event.duration_s,
            epochs=epochs,
            spent=spent,
        )
        return _Ending(result, outcome=outcome)

    def _failed(self, flight: Flight, event: port.Finished, failed: port.Failed) -> _Ending:
        failure: dict[str, JSON] = {
            "kind": failed.kind.value,
            "error_type": failed.error_type,
            "message": failed.message,
            "traceback": failed.traceback,
            "digest": failed.digest,
            "alone": failed.alone,
            "worker": event.worker,
            "gpus": failed.gpus,
            "at": event.started_at + event.duration_s,
        }
        self._flights.remember(flight.task, failure)
        history = self._flights.failures[flight.task]
        again = any(earlier["digest"] == failed.digest for earlier in history[:-1])
        self.breaker.step(
            AttemptBroke(
                kind=failed.kind,
                digest=failed.digest,
                error=f"{failed.error_type}: {failed.message}",
                raised=bool(failed.traceback),
                again=again,
            )
        )
        decision = self._retries.decide(flight.task, history)
        if self.breaker.in_vain:
            decision = GiveUp(state="dead")
        if isinstance(decision, Retry):
            return _Ending(
                AttemptResult.FAILED, TaskThen.RETRY, failure=failure, delay_s=decision.delay_s
            )
        self.breaker.step(TrialBroke())
        outcome = Outcome(
            state=TrialState(decision.state),
            duration_s=event.duration_s,
            epochs=self._machine.reported.get(flight.number, 0),
            failure=failure,
        )
        return _Ending(AttemptResult.FAILED, outcome=outcome, failure=failure)
