"""Drives one experiment: engine events in, one transaction out, then the next attempts.

Each turn collects what the engine says, asks for as many proposals as slots are free, commits all
of it in one transaction, and only then hands the assignments to the engine. Memory runs ahead of
the store by that one transaction; when it fails, the caller drops everything and folds the log.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from morphml.engines.port import EngineEvent, Finished
from morphml.errors import ConstraintError, DriverLost, ExperimentError
from morphml.master.batch import Batch
from morphml.master.crew import Crew
from morphml.master.elsewhere import reconcile
from morphml.scheduling.faults import StopExperiment
from morphml.search.changes import Changes, Driver, ExperimentEnd, TaskThen
from morphml.search.experiment import ExperimentState
from morphml.search.machine import Ended, Reused
from morphml.search.meter import Meter
from morphml.search.progress import Observer, Progress

#: Longest wait for the engine, so that stop requests and retries are seen.
TURN_S = 0.25
#: Seconds between two looks at the store for a stop asked from outside, and between two views.
LOOK_EVERY_S = 0.5
#: Results of other experiments that one turn takes; each costs as much as an ask.
REUSED_PER_TURN = 500
#: Seconds after which a due task that could not be claimed is tried again.
CLAIM_AGAIN_S = 0.05
#: Seconds between two claims where more was there than there were slots.
CLAIM_NEXT_S = 0.02


class HandedOver(Exception):
    """The driver left off when asked; everything is stored, and another master may go on."""


class ExperimentDriver:
    """One run of one experiment.

    Args:
        crew: the parts, all of this run.
        right: the right to drive, as the store gave it.
        observer: told of the progress.
        spent_s: wall seconds of earlier runs, for the time budget.
    """

    def __init__(self, crew: Crew, right: Driver, observer: Observer, spent_s: float) -> None:
        self._crew = crew
        self._right = right
        self._observer = observer
        self._spent_s = spent_s
        self._began = crew.clock.monotonic()
        self._looked = -math.inf
        self._meter = Meter(crew.machine, self._began)
        self._held: dict[int, Finished] = {}
        self._closing: Ended | None = None
        self._refusal: ConstraintError | None = None
        self._gave_up: StopExperiment | None = None
        self._stopping = False
        #: Whether the last turn stopped asking only to let others have theirs.
        self._asks_on = False

    def run(self) -> str:
        """Drive until the search is over; the reason.

        Raises:
            DriverLost: when another driver took over; the store has the truth.
            ConstraintError: when a constraint rejects everything; what ran has finished, and the
                experiment is marked failed.
            StorageError: when the store cannot write; nothing acknowledged is lost.
            HandedOver: when it was asked to leave off.
            KeyboardInterrupt: when a person stops it; the caller closes the session.
        """
        try:
            # What others want of it, and what waits already, is known before the first ask.
            self._look()
            self._turn(self._crew.engine.events(0.0))
            while not self._stopping and (self._crew.flights or self._waiting()):
                self._turn(self._crew.engine.events(self._patience()))
        except KeyboardInterrupt:
            # Memory may be half a turn ahead; only the state is stored, and the fold is the truth.
            end = ExperimentEnd(state=ExperimentState.PAUSED, reason="interrupted")
            self._crew.store.commit(self._right, Changes(end=end))
            raise
        return self._finish()

    # --- one turn --------------------------------------------------------------------------------

    def _turn(self, events: list[EngineEvent]) -> None:
        crew = self._crew
        if crew.leaving():
            raise HandedOver
        crew.keeper.tick()
        if crew.keeper.lost and not crew.keeper.revive():
            raise DriverLost("the session's lease ran out, and others have ended it")
        if any(self._is_unknown(event) for event in events):
            self._reconcile(at_once=True)  # before this turn's ends, which the store has not yet
        batch = Batch()
        for event in self._in_order(events):
            crew.collector.collect(event, batch)
        self._weigh_hope()
        if not self._stopping:
            self._fill(batch)
        self._commit(batch)
        crew.collector.committed(batch)
        crew.tally.count(batch.ended)
        if over := batch.over:
            crew.engine.acknowledge(over)
        if batch.assignments:
            crew.engine.submit(*batch.assignments)
        for token, order in batch.orders:
            crew.engine.order(token, order)
        if any(task.lease is None for task in batch.tasks):
            crew.elsewhere.offered()
        # Last: workers wait for what was decided above, and nobody for these.
        self._reconcile()
        self._look()

    def _fill(self, batch: Batch) -> None:
        self._asks_on = False
        # The larger one: ends may be taken and not told yet, and workers bring what nobody told.
        free = self._slots - max(self._crew.flights.here, self._crew.elsewhere.busy())
        room = free + self._ahead
        if room > 0 and self._slots_here and self._claim_is_due(batch):
            free -= self._claim(room, batch)
        free -= self._promote(free, batch)
        if free > 0:
            self._ask(free, batch, here=self._slots_here > 0)
        elif self._closing is None:
            self._closing = self._crew.machine.over
        if others := self._crew.elsewhere.slots():
            beyond = self._slots + others - len(self._crew.machine.pending)
            beyond -= self._promote(beyond, batch)
            self._ask(beyond, batch, here=False)

    @property
    def _slots(self) -> int:
        # What a deterministic search asks depends on the slots it began with: the engine queues.
        spec = self._crew.machine.spec
        return spec.workers if spec.deterministic else self._crew.engine.slots

    @property
    def _ahead(self) -> int:
        # What waits already costs no knowledge to take early; an ask would.
        return 0 if self._crew.machine.spec.deterministic else self._crew.engine.ahead

    @property
    def _slots_here(self) -> int:
        # Without any slot the engine would queue what another master could run.
        return self._slots if self._crew.engine.slots else 0

    def _is_unknown(self, event: EngineEvent) -> bool:
        return isinstance(event, Finished) and self._crew.flights.get(event.token) is None

    def _reconcile(self, *, at_once: bool = False) -> None:
        """Learn what other masters do for this experiment."""
        crew = self._crew
        rows = crew.elsewhere.look(crew.flights.in_the_air, at_once=at_once)
        if rows is not None:
            reconcile(crew.flights, rows, crew.keeper.session, crew.clock.now())

    def _ask(self, free: int, batch: Batch, *, here: bool = True) -> None:
        """Ask for so many trials; results of other experiments take no slot but have a measure."""
        reused = 0
        while free > 0 and reused < REUSED_PER_TURN and self._may_ask():
            try:
                asked = self._crew.dispatcher.ask(batch, here=here)
            except ConstraintError as error:
                # What runs already may finish: its result is worth as much as before.
                self._refusal = error
                asked = Ended(str(error))
            if isinstance(asked, Ended):
                self._closing = asked
                return
            if isinstance(asked, Reused):
                reused += 1
            else:
                free -= 1
        self._asks_on = reused == REUSED_PER_TURN

    def _promote(self, free: int, batch: Batch) -> int:
        """Let paused trials go on, so many at most; how many do."""
        promoted = 0
        while promoted < free and self._may_promote() and self._crew.dispatcher.promote(batch):
            promoted += 1
        return promoted

    def _claim(self, free: int, batch: Batch) -> int:
        claimed = self._crew.store.claim(
            self._right.experiment, self._crew.keeper.session, limit=free
        )
        for task in claimed:
            self._crew.dispatcher.resume(task, batch)
        # Many tasks that end soon are better claimed in few transactions.
        pause = CLAIM_AGAIN_S if len(claimed) < free else CLAIM_NEXT_S
        self._crew.flights.look_again(self._crew.clock.now() + pause)
        return len(claimed)

    def _commit(self, batch: Batch) -> None:
        draft = self._crew.machine.drain()
        if not batch.changes_nothing(draft):
            self._crew.store.commit(self._right, batch.changes(draft))

    # --- when to do what -------------------------------------------------------------------------

    def _claim_is_due(self, batch: Batch) -> bool:
        """Whether a task may be claimed; what this batch gives back can be claimed when stored."""
        due = self._crew.flights.next_claim_at()
        if due is None or due > self._crew.clock.now():
            return False
        return not (batch.returned or any(each.then is TaskThen.RETRY for each in batch.ended))

    def _may_ask(self) -> bool:
        """Whether a proposal may be asked now; where deterministic, n waits for n - workers."""
        machine = self._crew.machine
        if self._closing is not None or self._crew.collector.breaker.waits(len(machine.pending)):
            return False
        if not machine.has_room:
            return False
        if not machine.spec.deterministic or not machine.pending:
            return True
        return machine.next_number - min(machine.pending) < machine.spec.workers

    def _may_promote(self) -> bool:
        """Whether a paused trial may go on now: also where no new one may be asked for any more."""
        machine = self._crew.machine
        if not machine.segments.paused or self._crew.collector.breaker.waits(len(machine.pending)):
            return False
        return self._closing is None or self._closing == machine.over

    def _in_order(self, events: list[EngineEvent]) -> list[EngineEvent]:
        """In a deterministic search, ends are taken in the order of their numbers."""
        if not self._crew.machine.spec.deterministic:
            return events
        taken: deque[EngineEvent] = deque()
        for event in events:
            flight = self._crew.flights.get(event.token) if isinstance(event, Finished) else None
            if isinstance(event, Finished) and flight is not None:
                self._held[flight.number] = event
            else:
                taken.append(event)
        waiting = sorted(self._crew.machine.pending)
        for number in waiting:
            if number not in self._held:
                break
            taken.append(self._held.pop(number))
            break  # the next one may be taken only after the ask that this one allows
        return list(taken)

    def _patience(self) -> float:
        """Seconds to wait for the engine: none where there is something to do at once."""
        if self._asks_on:
            return 0.0
        if self._held and min(self._crew.machine.pending, default=-1) in self._held:
            return 0.0
        due = self._crew.flights.next_claim_at()
        if due is None or self._crew.flights.here >= self._slots_here + self._ahead:
            return TURN_S
        return min(max(due - self._crew.clock.now(), 0.0), TURN_S)

    def _waiting(self) -> bool:
        """Whether something is still to come although nothing is in the air."""
        if self._crew.machine.pending:
            return True
        if self._closing is not None:
            self._look_at_budget()  # the last moment at which more may be allowed
        return self._closing is None

    def _look(self) -> None:
        """See what changed outside, and show where we stand, a few times a second."""
        now = self._crew.clock.monotonic()
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        self._observer(self.progress())
        self._crew.cancelling.look()
        self._look_at_budget()
        request = self._crew.store.stop_requested(self._right.experiment)
        if request is not None:
            self._stopping = True
            self._closing = Ended(request)
        timeout = self._crew.machine.standing.budget.timeout_s
        if timeout is not None and self._spent_s + now - self._began >= timeout:
            self._closing = Ended("time budget spent")
            self._crew.time_budget.enforce(now)
            if not self._crew.engine.slots:
                self._crew.cancelling.cancel_what_waits()

    def _look_at_budget(self) -> None:
        """Learn how many trials are allowed by now; what was over for want of them goes on."""
        standing, machine = self._crew.machine.standing, self._crew.machine
        trials = self._crew.store.experiment(self._right.experiment).budget
        if trials == standing.budget.trials:
            return
        was_over = self._closing is not None and self._closing == machine.over
        standing.budget = replace(standing.budget, trials=trials)
        if was_over:
            self._closing = machine.over

    def _weigh_hope(self) -> None:
        """Give up where nothing works any more, unless what still ran does work after all."""
        verdict = self._crew.collector.breaker.verdict
        if self._closing is None and verdict is not None:
            self._closing = Ended(verdict.reason)
            self._gave_up = verdict
        elif self._gave_up is not None and verdict is None:
            self._closing = None
            self._gave_up = None

    # --- the end ---------------------------------------------------------------------------------

    def _finish(self) -> str:
        if self._closing is None:
            raise ExperimentError("the driver stopped with neither work nor a reason")
        reason = self._closing.reason
        state = ExperimentState.PAUSED if self._stopping else ExperimentState.COMPLETED
        refused = self._refusal if not self._stopping else None
        if self._gave_up is not None:
            state = ExperimentState(self._gave_up.state)
        if refused is not None:
            state = ExperimentState.FAILED
        batch = Batch(end=ExperimentEnd(state=state, reason=reason))
        if state is ExperimentState.COMPLETED:
            self._crew.collector.end_paused(batch)
        self._commit(batch)
        self._crew.collector.committed(batch)
        if not self._crew.machine.pending:
            self._crew.cancelling.look()  # requests that were met since the last look are answered
        self._observer(self.progress(reason))
        if refused is not None:
            raise refused
        return reason

    def progress(self, reason: str = "") -> Progress:
        """Where the search stands now."""
        crew = self._crew
        return self._meter.progress(
            crew.clock.monotonic(), busy=len(crew.flights), slots=crew.engine.slots, reason=reason
        )
