"""One run of a stored experiment: engine and session up, log folded, driven, all taken down."""

from __future__ import annotations

import os
import platform
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from morphml.clock import Clock, SystemClock
from morphml.engines import InProcessEngine
from morphml.engines.local import LocalEngine
from morphml.engines.port import Context, Engine
from morphml.errors import StorageError
from morphml.evaluation import EvaluatorSource, MetricRules
from morphml.ids import ExperimentId
from morphml.master.artifacts import RunArtifacts
from morphml.master.cancelling import Cancelling
from morphml.master.collector import Collector
from morphml.master.dispatcher import Dispatcher
from morphml.master.driver import Crew, ExperimentDriver
from morphml.master.flights import Flights
from morphml.master.options import gpus, required_metrics
from morphml.master.ports import Store
from morphml.master.recovery import earlier_failures, fresh_machine, waiting_tasks
from morphml.master.retries import Retries
from morphml.master.reuse import sharing_of
from morphml.master.session import SessionKeeper
from morphml.master.time_budget import TimeBudget
from morphml.scheduling.retry import RetryRule
from morphml.search.changes import Changes, ExperimentEnd
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.search.progress import Observer
from morphml.search.sharing import Sharing
from morphml.settings import read_settings
from morphml.space import SearchSpace

#: Seconds to wait at most until every child process has loaded the evaluator.
WARM_UP_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is to be run, and where."""

    store: Store
    experiment: ExperimentId
    spec: ExperimentSpec
    space: SearchSpace
    source: EvaluatorSource
    #: Folder of the experiment's files.
    folder: Path
    #: Child processes; 0 runs the evaluator in this process.
    workers: int
    observer: Observer


def run(run: Run, engine: Engine | None = None) -> str:
    """Drive the experiment until it is over, and return the reason.

    Args:
        run: what is to be run.
        engine: where attempts run; made for ``run.workers`` by default. Closed at the end.

    Raises:
        StoreInUse: when another process drives it.
        KeyboardInterrupt: when a person stops it; what is stored can be resumed.
        MorphError: as ``ExperimentDriver.run``.
    """
    clock = SystemClock()
    name = f"{platform.node()}-{os.getpid()}"
    engine = engine or make_engine(run.workers)
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


def make_engine(workers: int) -> Engine:
    """The engine for so many workers: local processes, or in process for 0."""
    return InProcessEngine() if workers == 0 else LocalEngine(workers, devices=gpus())


def _drive(run: Run, engine: Engine, keeper: SessionKeeper, clock: Clock) -> str:
    right = run.store.acquire_driver(run.experiment, keeper.session)
    try:
        spent_s = run.store.experiment(run.experiment).spent_s
        crew = _crew(run, engine, keeper, clock)
        return ExperimentDriver(crew, right, run.observer, spent_s).run()
    except Exception as error:
        # Whoever looks at the store sees why nobody drives on; an end that is stored stays.
        end = ExperimentEnd(state=ExperimentState.PAUSED, reason=f"{type(error).__name__}: {error}")
        with suppress(StorageError):
            run.store.commit(right, Changes(end=end))
        raise


def _sharing(run: Run) -> Sharing | None:
    device_class = "cuda" if run.workers and gpus() else "cpu"
    return sharing_of(run.spec, run.source, device_class, run.store.knowledge)


def _crew(run: Run, engine: Engine, keeper: SessionKeeper, clock: Clock) -> Crew:
    machine = fresh_machine(run.spec, run.space, _sharing(run))
    machine.fold(run.store.log(run.experiment))
    artifacts = RunArtifacts(run.folder)
    engine.prepare(
        run.experiment,
        Context(
            space=run.space,
            evaluator=run.source,
            rules=MetricRules(required=required_metrics(run.spec)),
            scratch=run.folder,
        ),
    )
    _warm_up(engine, keeper)
    flights = Flights()
    earlier = earlier_failures(run.store, run.experiment, machine)
    flights.failures.update(earlier.by_task)
    flights.waiting.update(dict.fromkeys(waiting_tasks(run.experiment, machine), 0.0))
    sightings = None if run.spec.deterministic else earlier.sightings
    retries = Retries(RetryRule(), engine.slots, sightings)
    return Crew(
        store=run.store,
        engine=engine,
        keeper=keeper,
        machine=machine,
        flights=flights,
        dispatcher=Dispatcher(machine, flights, artifacts, clock, run.experiment, keeper.session),
        collector=Collector(machine, flights, artifacts, clock, retries),
        cancelling=Cancelling(run.store.requests, run.experiment, machine, flights, engine),
        time_budget=TimeBudget(flights, engine, read_settings().search.stop_grace_s),
        clock=clock,
    )
