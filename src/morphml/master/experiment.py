"""The face of one experiment: create or open, run, resume, ask and tell by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from morphml.clock import SystemClock
from morphml.errors import ExperimentError, SpaceError
from morphml.evaluation import EvaluatorSource
from morphml.ids import ExperimentId
from morphml.master import evaluators
from morphml.master.artifacts import RunArtifacts
from morphml.master.by_hand import HandTrial, ManualDriver
from morphml.master.choosing import EngineChoice, EngineKind, make_engine
from morphml.master.cluster.watch import Watch
from morphml.master.crew import Run
from morphml.master.options import SearchOptions, make_spec
from morphml.master.places import experiment_folder
from morphml.master.ray_job import refuse_file, run_as_job
from morphml.master.refusals import (
    refuse_gangs,
    refuse_impossible_workers,
    warn_of_idle_limits,
)
from morphml.master.resources import check_feasible, local_workers
from morphml.master.result import Result
from morphml.master.reuse import named_by_digest, reused_trials
from morphml.master.runner import run
from morphml.master.sending import reference_for_others, refuse_what_cannot_travel
from morphml.master.watching import watching
from morphml.search.changes import ExperimentRecord
from morphml.search.course import Course, course_of
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.search.progress import Observer
from morphml.settings import read_settings
from morphml.space import SearchSpace
from morphml.space.text import parse_space
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.storage.hints import HintTopic


class Experiment:
    """One experiment in a store; a context manager that closes the store.

    Made by ``create`` or ``open``. One process drives it at a time; others may read.
    """

    def __init__(
        self,
        store: SqlStore,
        experiment: ExperimentId,
        space: SearchSpace,
        source: EvaluatorSource | None,
        folder: Path,
        storage: str | Path | None = None,
    ) -> None:
        self.store = store
        self.storage = storage
        self.id = experiment
        self.space = space
        self.folder = folder
        self._source = source
        self._manual: ManualDriver | None = None

    # --- beginnings ------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        space: SearchSpace,
        evaluate: object,
        *,
        storage: str | Path | None = None,
        workers: int | None = None,
        engine: str = "local",
        **options: Unpack[SearchOptions],
    ) -> Self:
        """A new experiment, stored and not started.

        Args:
            space: what is searched.
            evaluate: a callable ``(arch, trial)``, an object with ``setup`` and ``__call__``, an
                import path ``package.module:attribute``, or None to ask and tell by hand.
            storage: path of a SQLite file, or ``postgresql://...``; None keeps everything in
                memory.
            workers: child processes the search will be run with; 0 for in process.
            engine: ``local`` or ``ray`` for ``run``, ``remote`` for ``submit``: then the evaluator
                must be one that workers on other machines can make.
            options: see ``SearchOptions``.

        Raises:
            CallerError: when space, evaluator or an option is not usable.
            StorageError: when the store cannot be opened.
        """
        choice = EngineChoice.parse(engine)
        kind = choice.kind
        if choice.outside:
            refuse_file(choice.address, storage)
        remote = kind is EngineKind.REMOTE
        source = EvaluatorSource.of(evaluate if evaluate is not None else by_hand)
        source.load()  # an import path that leads nowhere is told before anything is stored
        needs = options.get("resources") or {}
        here = kind is EngineKind.LOCAL
        slots = local_workers(needs if here else {}) if workers is None else workers
        refuse_impossible_workers(slots)
        if options.get("reuse"):
            source = named_by_digest(source, by_hand=evaluate is None)
        spec = make_spec(space, source, slots, options)
        if not remote:
            refuse_gangs(spec.resources)
        by_value = not remote and storage is not None
        by_value = by_value and (source.path is None or spec.space is None)
        payload = evaluators.packed(space, source) if by_value else None
        store = open_store(storage, StoreOptions(durability=read_settings().store.durability))
        try:
            if remote:
                spec = replace(spec, evaluator=reference_for_others(spec, source, store))
            experiment = store.create_experiment(spec)
            folder = experiment_folder(storage, experiment)
            RunArtifacts(folder)
            if payload is not None:
                evaluators.keep(folder, payload)
        except BaseException:
            store.close()
            raise
        return cls(store, experiment, space, source, folder, storage)

    @classmethod
    def open(
        cls,
        storage: str | Path,
        name: str | None = None,
        *,
        evaluate: object = None,
        space: SearchSpace | None = None,
    ) -> Self:
        """An experiment that is in a store already.

        Args:
            storage: path of a SQLite file.
            name: id or name; the newest experiment by default.
            evaluate: the evaluator, where it changed its place; by default the one stored.
            space: the space, where it holds code that cannot be loaded; must be the same space.

        Raises:
            ExperimentError: when there is no such experiment, or the space is another one.
            StorageError: when the store cannot be opened.
        """
        settings = read_settings().store
        store = open_store(storage, StoreOptions(durability=settings.durability), create=False)
        try:
            record = find_experiment(store, name)
            folder = experiment_folder(storage, record.id)
            spec = ExperimentSpec.from_json(record.spec)
            found = _same_space(spec, folder, space)
            source = None if evaluate is None else EvaluatorSource.of(evaluate)
        except BaseException:
            store.close()
            raise
        return cls(store, record.id, found, source, folder, storage)

    def beside(self, experiment: ExperimentId, folder: Path) -> Self:
        """Another experiment of the same store, with the same space and evaluator."""
        return type(self)(self.store, experiment, self.space, self._source, folder, self.storage)

    # --- running ---------------------------------------------------------------------------------

    @property
    def record(self) -> ExperimentRecord:
        """The experiment as the store has it now."""
        return self.store.experiment(self.id)

    @property
    def spec(self) -> ExperimentSpec:
        """What fixes the search, with budget and priority as they are now."""
        return self.record.current_spec

    def run(
        self,
        workers: int | None = None,
        observer: Observer | None = None,
        engine: str = "local",
    ) -> Result:
        """Run, or go on with, the search until it is over.

        Args:
            workers: child processes; 0 runs the evaluator in this process; by default as created.
                With Ray trials at a time at most, by default all that the cluster has room for.
            observer: called with a ``Progress`` twice a second; by default a live view on the
                terminal, where there is one.
            engine: ``local``, ``ray``, ``ray:ADDRESS``, or ``ray://HOST:PORT`` for a job there.

        Raises:
            StoreInUse: when another process drives it.
            KeyboardInterrupt: when a person stops it; what is stored can be resumed.
            MorphError: when it cannot go on; the message says why and what to do.
        """
        spec = self.spec
        source = self._evaluator(spec)
        self._let_go()
        choice = EngineChoice.parse(engine)
        slots = choice.slots_for(spec, workers)
        warn_of_idle_limits(spec.limits, slots)
        with watching(observer, workers=slots) as watcher:
            order = Run(
                store=self.store,
                experiment=self.id,
                spec=spec,
                space=self.space,
                source=source,
                folder=self.folder,
                workers=slots,
                observer=watcher,
                here=choice.kind is EngineKind.LOCAL,
            )
            if choice.outside:
                run_as_job(order, self.store, self.storage, choice.address)
            else:
                exactly = workers is not None
                run(order, make_engine(choice, slots, spec.resources, exactly=exactly))
        return self.result()

    def submit(self, *, strict: bool = False) -> None:
        """Leave it to the masters of its store: whichever has room drives it, by priority.

        Where none of the workers that are there can run its trials, an ``InfeasibleWarning`` says
        what is missing; it then waits for such a worker.

        Args:
            strict: refuse it instead, and also when no worker is there at all.

        Raises:
            ExperimentError: when it runs already, is completed, or was made for this machine only.
            RequirementsError: when ``strict`` refuses it; it is not submitted.
        """
        spec = self.spec
        refuse_what_cannot_travel(spec)
        check_feasible(self.store, spec.resources, strict=strict)
        self._let_go()
        self.store.cluster.submit(self.id, spec.priority)
        self.store.hints.send(HintTopic.WORK)

    def watch(self, observer: Observer | None = None) -> Result:
        """Wait until the masters have ended it, and return what was found, as `run` does.

        Args:
            observer: called with a ``Progress`` twice a second; by default a live view on the
                terminal, where there is one.

        Raises:
            ExperimentError: when it was paused; the message has the reason.
            KeyboardInterrupt: when a person stops watching; the experiment goes on.
        """
        with watching(observer, workers=1) as watcher:
            watch = Watch(self.store, self.id, self.space, SystemClock())
            state = watch.until_over(watcher)
        if state is ExperimentState.PAUSED:
            raise ExperimentError(
                f"experiment {self.id} is paused: {self.record.reason}; go on with resume"
            )
        return self.result()

    def _evaluator(self, spec: ExperimentSpec) -> EvaluatorSource:
        """The evaluator to run, loaded only now: to show trials nobody needs it."""
        if self._source is None and spec.evaluator.kind == "value":
            # The code of the beginning: what names it for shared results stands in the spec.
            recalled = evaluators.recall(self.folder)[1]
            self._source = replace(recalled, digest=spec.evaluator.digest)
        elif self._source is None:
            self._source = EvaluatorSource.of(spec.evaluator.reference)
        if self._source.live is by_hand:
            raise ExperimentError(
                "this experiment has no evaluator to run: give one, such as mm.search(space, "
                "evaluate), or go on by hand with ask() and tell()"
            )
        return self._source

    def result(self) -> Result:
        """The trials as the store has them now."""
        spec = self.spec
        reused = reused_trials(self.store.log(self.id)) if spec.reuse else ()
        return Result(
            self.record,
            spec,
            self.space,
            records=[*self.store.trials(self.id), *reused],
            folder=self.folder,
            course=self._course(spec),
        )

    def _course(self, spec: ExperimentSpec) -> Course:
        attempts = list(self.store.attempts(self.id))
        if spec.fidelity is None:
            return Course(attempts=attempts)
        return course_of(spec, self.store.log(self.id), attempts)

    def stop(self, reason: str = "stopped on request") -> None:
        """Ask whoever drives it to stop within a second; ``run`` or ``mm.resume`` goes on later."""
        self.store.set_state(self.id, ExperimentState.PAUSED, reason)

    def cancel(self, number: int) -> None:
        """Ask whoever drives it, now or later, to take one trial back; it keeps its number."""
        self.store.requests.cancel_trial(self.id, number)

    def extend(self, trials: int) -> None:
        """Allow so many trials in all; a completed experiment can then be run again."""
        self._let_go()  # it would go on with the budget that it began with
        self.store.extend_budget(self.id, trials)

    # --- by hand ---------------------------------------------------------------------------------

    def ask(self) -> HandTrial | None:
        """The next trial to evaluate by hand, or None when the search is over."""
        return self._hand().ask()

    def tell(
        self, number: int, metrics: Mapping[str, float] | float | None, *, error: str = ""
    ) -> None:
        """The result of a trial asked before; None means that it failed, ``error`` says why.

        Raises:
            ExperimentError: when that trial is not waiting for a result.
            EvaluatorError: when the metrics break the evaluator contract.
        """
        self._hand().tell(number, metrics, error)

    def _hand(self) -> ManualDriver:
        if self._manual is None:
            self._manual = ManualDriver(self.store, self.id, self.spec, self.space)
        return self._manual

    def _let_go(self) -> None:
        """Drive by hand no more; what was asked waits in the store for whoever drives next."""
        manual, self._manual = self._manual, None
        if manual is not None:
            manual.close()

    # --- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the store; asked trials that were not told can be told after the next ``open``."""
        try:
            self._let_go()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        """The experiment itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()


def find_experiment(store: SqlStore, name: str | None) -> ExperimentRecord:
    """The experiment of that id or name; the newest of that name, or of all.

    Raises:
        ExperimentError: when there is none; the message lists those there are.
    """
    records = store.experiments()
    for record in records:
        if name is None or name in (record.id, record.name):
            return record
    if not records:
        raise ExperimentError("there is no experiment in this store yet; submit or search first")
    known = ", ".join(f"{record.id} ({record.name})" for record in records[:10])
    raise ExperimentError(f"no experiment {name!r} in this store; there are: {known}")


def _same_space(spec: ExperimentSpec, folder: Path, given: SearchSpace | None) -> SearchSpace:
    """The experiment's space: the one given, else its text, else what was kept by value."""
    space = given
    if space is None:
        space = evaluators.recall(folder)[0] if spec.space is None else parse_space(spec.space)
    if space.digest != spec.space_digest:
        raise SpaceError(
            f"the space given is not the one of experiment {spec.name!r}: digest {space.digest}, "
            f"stored {spec.space_digest}"
        )
    return space


def by_hand(architecture: object, trial: object) -> float:
    """Stand in for an evaluator where there is none, and give the experiment its name.

    Raises:
        ExperimentError: always.
    """
    raise ExperimentError("this experiment is asked and told by hand; it has no evaluator to run")
