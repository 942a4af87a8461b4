"""One run of a stored experiment: engine and session up, log folded, driven, all taken down."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Protocol, runtime_checkable

from morphml.clock import Clock, SystemClock
from morphml.engines import InProcessEngine
from morphml.engines.local import LocalEngine
from morphml.engines.port import Engine
from morphml.errors import StorageError
from morphml.ids import ExperimentId
from morphml.master.crew import Run, make_crew
from morphml.master.driver import ExperimentDriver
from morphml.master.session import SessionKeeper, process_name
from morphml.search.changes import Changes, ExperimentEnd
from morphml.search.experiment import ExperimentState
from morphml.search.progress import Observer, Progress

#: Seconds to wait at most until every child process has loaded the evaluator.
WARM_UP_S = 5


def run(run: Run, engine: Engine) -> str:
    """Drive the experiment until it is over, and return the reason.

    Args:
        run: what is to be run.
        engine: where attempts run. Closed at the end.

    Raises:
        StoreInUse: when another process drives it.
        KeyboardInterrupt: when a person stops it; what is stored can be resumed.
        MorphError: as ``ExperimentDriver.run``.
    """
    clock = SystemClock()
    name = process_name()
    with closing(engine):
        in_process = isinstance(engine, InProcessEngine)
        with closing(SessionKeeper(run.store, clock, name, may_block=in_process)) as keeper:
            try:
                return _drive(run, engine, keeper, clock)
            finally:
                engine.close()  # nothing runs any more when the session gives its tasks back


def _warm_up(engine: Engine, keeper: SessionKeeper) -> None:
    """Let all local slots begin at the same moment, unless loading takes long."""
    for _ in range(WARM_UP_S):
        if not isinstance(engine, LocalEngine) or engine.warm_up(1.0):
            return
        keeper.tick()


@runtime_checkable
class Foretold(Protocol):
    """An engine that takes as many machines as there will be tasks for."""

    def expect(self, experiment: ExperimentId, more: int) -> None:
        """So many tasks the experiment will still bring."""
        ...


def _observer(run: Run, engine: Engine) -> Observer:
    """The run's own, and the engine hears how many trials are to come."""
    if not isinstance(engine, Foretold):
        return run.observer

    def observe(progress: Progress) -> None:
        engine.expect(run.experiment, max(0, progress.budget - progress.taken))
        run.observer(progress)

    return observe


def _drive(run: Run, engine: Engine, keeper: SessionKeeper, clock: Clock) -> str:
    right = run.store.acquire_driver(run.experiment, keeper.session)
    try:
        spent_s = run.store.experiment(run.experiment).spent_s
        crew = make_crew(run, engine, keeper, clock)
        if isinstance(engine, InProcessEngine) and run.spec.fidelity is not None:
            engine.heed(crew.collector.judge)
        _warm_up(engine, keeper)
        return ExperimentDriver(crew, right, _observer(run, engine), spent_s).run()
    except Exception as error:
        # Whoever looks at the store sees why nobody drives on; an end that is stored stays.
        end = ExperimentEnd(state=ExperimentState.PAUSED, reason=f"{type(error).__name__}: {error}")
        with suppress(StorageError):
            run.store.commit(right, Changes(end=end))
        raise
