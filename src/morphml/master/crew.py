"""The parts that a driver joins, and how they are made for one run of an experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from morphml.clock import Clock
from morphml.engines.port import Context, Engine
from morphml.evaluation import EvaluatorSource, MetricRules
from morphml.ids import ExperimentId
from morphml.master.artifacts import RunArtifacts
from morphml.master.cancelling import Cancelling
from morphml.master.collector import Collector
from morphml.master.dispatcher import Dispatcher
from morphml.master.elsewhere import Alone, Elsewhere
from morphml.master.flights import Flights
from morphml.master.options import gpus, required_metrics
from morphml.master.ports import Exchange, Store
from morphml.master.ranking import Ranking
from morphml.master.recovery import earlier_failures, fresh_machine, waiting_tasks
from morphml.master.retries import Retries
from morphml.master.reuse import sharing_of
from morphml.master.session import MasterLife
from morphml.master.tally import Tally
from morphml.master.time_budget import TimeBudget
from morphml.scheduling.faults import FaultToleranceManager
from morphml.scheduling.policies import DEFAULT_POLICY
from morphml.search.experiment import ExperimentSpec
from morphml.search.machine import SearchMachine
from morphml.search.progress import Observer
from morphml.search.sharing import Sharing
from morphml.settings import read_settings
from morphml.space import SearchSpace


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The parts that a driver joins."""

    store: Store
    engine: Engine
    keeper: MasterLife
    machine: SearchMachine
    flights: Flights
    dispatcher: Dispatcher
    collector: Collector
    cancelling: Cancelling
    time_budget: TimeBudget
    clock: Clock
    tally: Tally
    elsewhere: Elsewhere = field(default_factory=Alone)
    #: Whether to leave off where we are: another master goes on.
    leaving: Callable[[], bool] = _never


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
    #: Trials at a time at most; 0 runs the evaluator in this process.
    workers: int
    observer: Observer
    #: Counts what ends.
    tally: Tally = field(default_factory=Tally)
    #: Name of the policy that ranks its tasks.
    policy: str = DEFAULT_POLICY
    #: Has checkpoints of masters with other folders.
    exchange: Exchange | None = None
    #: Whether all attempts run on this machine.
    here: bool = True


def _sharing(run: Run, *, alone: bool) -> Sharing | None:
    if alone:
        device_class = "cuda" if run.workers and gpus() else "cpu"
    else:  # workers differ: sure is only what each attempt asks for
        device_class = "cuda" if run.spec.resources.get("gpu") else "any"
    return sharing_of(run.spec, run.source, device_class, run.store.knowledge)


def make_crew(
    run: Run,
    engine: Engine,
    keeper: MasterLife,
    clock: Clock,
    elsewhere: Elsewhere | None = None,
    leaving: Callable[[], bool] = _never,
) -> Crew:
    """Fold the log, tell the engine of the experiment, and join what drives it.

    Args:
        run: what is to be run.
        engine: where attempts run.
        keeper: the life of this master.
        clock: hour and monotonic time.
        elsewhere: what other masters do for it; nothing by default.
        leaving: whether to leave off where the driver is.

    Raises:
        EvaluatorError: when the evaluator cannot be loaded or cannot travel.
    """
    machine = fresh_machine(
        run.spec, run.space, _sharing(run, alone=elsewhere is None and run.here)
    )
    machine.fold(run.store.log(run.experiment))
    artifacts = RunArtifacts(run.folder, run.exchange)
    engine.prepare(
        run.experiment,
        Context(
            space=run.space,
            evaluator=run.source,
            rules=MetricRules(required=required_metrics(run.spec)),
            scratch=run.folder,
        ),
    )
    alone = elsewhere is None
    flights = Flights(one_at_a_time=alone and run.workers <= 1, die_with_us=alone)
    earlier = earlier_failures(run.store, run.experiment, machine)
    flights.failures.update(earlier.by_task)
    for task in waiting_tasks(run.experiment, machine):
        flights.waiting.add(task, 0.0)
    sightings = None if run.spec.deterministic else earlier.sightings
    retries = Retries(FaultToleranceManager(), lambda: engine.slots, sightings)
    rank = Ranking(run.experiment, run.spec.priority, run.policy)
    return Crew(
        store=run.store,
        engine=engine,
        keeper=keeper,
        machine=machine,
        flights=flights,
        dispatcher=Dispatcher(machine, flights, artifacts, clock, rank, keeper.session),
        collector=Collector(machine, flights, artifacts, clock, retries, rank),
        cancelling=Cancelling(run.store.requests, run.experiment, machine, flights, engine),
        time_budget=TimeBudget(flights, engine, read_settings().search.stop_grace_s),
        clock=clock,
        tally=run.tally,
        elsewhere=elsewhere or Alone(),
        leaving=leaving,
    )
