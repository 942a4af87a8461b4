"""What a search found: the best trials, the front, the table, pictures."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from morphml import visualization as pictures
from morphml.errors import ExperimentError, MissingExtraError
from morphml.master.evaluated import EvaluatedTrial
from morphml.optimizers.events import JSON
from morphml.search import indicators
from morphml.search.changes import ExperimentRecord, TrialRecord
from morphml.search.constraints import total_violation
from morphml.search.course import Course
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.objectives import best_first, minimised_values
from morphml.space import SearchSpace
from morphml.space.plain_values import plain_decisions
from morphml.version import __version__

if TYPE_CHECKING:
    import pandas as pd

_SCORED = (TrialState.COMPLETED, TrialState.PRUNED)


class Result:
    """The trials of an experiment at one moment, ranked.

    Args:
        record: the experiment as the store has it.
        spec: what fixes the search.
        space: its space.
        records: all trials by number, then those reused from other experiments.
        folder: the experiment's files.
        course: attempts, learning curves and rungs; kept.
    """

    def __init__(
        self,
        record: ExperimentRecord,
        spec: ExperimentSpec,
        space: SearchSpace,
        records: Sequence[TrialRecord],
        folder: Path,
        course: Course = Course(),  # noqa: B008  # frozen, and holds nothing
    ) -> None:
        self.record = record
        self.spec = spec
        self.space = space
        #: The trials of this experiment by number.
        self.records = [record for record in records if record.reused_from is None]
        #: Results of other experiments that answered here, numbered -1, -2, ... as they were met.
        self.reused = [record for record in records if record.reused_from is not None]
        self.attempts = course.attempts
        #: How trials came along: learning curves by number, and the rungs of a fidelity.
        self.course = course
        self.folder = folder

    @property
    def reason(self) -> str:
        """Why the search ended, such as ``space exhausted``."""
        return self.record.reason

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of trials by state."""
        return Counter(record.state.value for record in self.records)

    @property
    def best(self) -> EvaluatedTrial:
        """The best trial that keeps every constraint, by the first objective.

        Of equals it is one that none dominates in the other objectives, the first of these asked.

        Raises:
            ExperimentError: when no trial was evaluated within the constraints.
        """
        ranked = self.ranked()
        if not ranked:
            raise ExperimentError(
                f"experiment {self.spec.name!r}: no trial has a result within the constraints; "
                f"trials: {dict(self.counts)}{_after(self.first_failure)}"
            )
        return ranked[0]

    @property
    def failures(self) -> Mapping[int, Mapping[str, JSON]]:
        """The last failure (kind, error_type, message, traceback) of each failed trial."""
        failed = {r.number for r in self.records if r.state in (TrialState.FAILED, TrialState.DEAD)}
        return {a.number: a.failure for a in self.attempts if a.failure and a.number in failed}

    @property
    def first_failure(self) -> str:
        """What the first failed trial died of, in a line or some; empty when none failed."""
        for number, failure in sorted(self.failures.items()):
            return f"trial {number}: {failure.get('error_type')}: {failure.get('message')}"
        return ""

    def ranked(self) -> list[EvaluatedTrial]:
        """Feasible trials with a result, best first by the first objective.

        With a fidelity, trials of more epochs come before all of fewer: they do not compare.
        Of equals those come first that no equal one dominates in the other objectives, then those
        of lower number.
        """
        order = best_first([values for values, _ in self._feasible])
        ordered = [self._feasible[position][1] for position in order]
        return [self._evaluated(r) for r in sorted(ordered, key=self._level, reverse=True)]

    def trial(self, number: int) -> EvaluatedTrial:
        """The trial of that number, whatever became of it; -1, -2, ... are the reused results.

        Raises:
            ExperimentError: when there is none.
        """
        records, place = (self.reused, -1 - number) if number < 0 else (self.records, number)
        if place >= len(records):
            reused = f", and reused {len(self.reused)}, counted from -1" if self.reused else ""
            raise ExperimentError(
                f"experiment {self.spec.name!r} has no trial {number}; it has "
                f"{len(self.records)}, counted from 0{reused}"
            )
        return self._evaluated(records[place])

    @property
    def pareto_front(self) -> list[EvaluatedTrial]:
        """Feasible trials that no other dominates, best first by the first objective.

        With a fidelity, of the trials with the most epochs.
        """
        front = pictures.pareto_front(self._comparable, self.spec.objectives)
        return [self.trial(point.number) for point in front]

    def hypervolume(self, reference: Mapping[str, float]) -> float:
        """The volume between the front and ``reference``, in the product of the objectives' units.

        Args:
            reference: metric name to the worst value that still counts, for every objective.

        Raises:
            ExperimentError: an objective has no finite value in ``reference``.
            MissingExtraError: moocore (extra ``bo``) is not installed.
        """
        worst = minimised_values(self.spec.objectives, reference)
        return indicators.hypervolume(self._front_values(), worst)

    def igd_plus(self, target: Sequence[Mapping[str, float]]) -> float:
        """How far, on average, the points of ``target`` are from being dominated by the front.

        Args:
            target: metric name to value for every objective, such as the front of a longer search.

        Raises:
            ExperimentError: an objective has no finite value in some point.
            CallerError: there is no point.
            MissingExtraError: moocore (extra ``bo``) is not installed.
        """
        wanted = [minimised_values(self.spec.objectives, point) for point in target]
        return indicators.igd_plus(self._front_values(), wanted)

    def _front_values(self) -> list[tuple[float, ...]]:
        return [
            minimised_values(self.spec.objectives, trial.metrics) for trial in self.pareto_front
        ]

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row a trial: number, state, metrics, decisions, seconds, epochs.

        Where the search shares results, the column ``reused_from`` names the experiment and trial
        that a result came from; the state of such a row is ``reused``.

        Raises:
            MissingExtraError: when pandas (extra ``viz``) is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  # heavy, and an extra
        except ImportError:
            raise MissingExtraError("a data frame of trials", extra="viz") from None
        table = pd.DataFrame([_row(point) for point in self.points])
        if self.spec.reuse:
            sources = {record.number: str(record.reused_from) for record in self.reused}
            table["reused_from"] = [sources.get(point.number) for point in self.points]
        return table

    @cached_property
    def points(self) -> list[pictures.TrialPoint]:
        """The ended trials as pictures see them, then the reused ones."""
        ended = [r for r in self.records if r.state is not TrialState.PENDING]
        return [self._point(record) for record in (*ended, *self.reused)]

    @cached_property
    def _comparable(self) -> list[pictures.TrialPoint]:
        """The points but for results of fewer epochs than the best has."""
        if self.spec.fidelity is None:
            return self.points
        top = max((self._level(record) for _, record in self._feasible), default=0)
        fewer = {record.number for _, record in self._feasible if self._level(record) < top}
        return [point for point in self.points if point.number not in fewer]

    def _level(self, record: TrialRecord) -> int:
        """Epochs that a result is of; 0 where all are equal."""
        if self.spec.fidelity is None:
            return 0
        whole = record.state is TrialState.COMPLETED or record.reused_from is not None
        return self.spec.max_epochs if whole else min(record.epochs, self.spec.max_epochs)

    # --- pictures --------------------------------------------------------------------------------

    def plot_convergence(self) -> pictures.Plot:
        """The best value so far, by trial and by time."""
        return pictures.plot_convergence(self._comparable, self.spec.objectives[0])

    def plot_pareto(self) -> pictures.Plot:
        """The first two objectives against each other."""
        return pictures.plot_pareto(self._comparable, self.spec.objectives)

    def plot_importance(self) -> pictures.Plot:
        """How much each decision moves the first objective."""
        return pictures.plot_importance(self._comparable, self.spec.objectives[0])

    def plot_decisions(self) -> pictures.Plot:
        """Parallel axes of the decisions of good and bad trials."""
        return pictures.plot_parallel(self._comparable, self.spec.objectives[0])

    def plot_curves(self) -> pictures.Plot:
        """The learning curves of all trials, and the rungs, where there is a fidelity."""
        rungs = [rung.epochs for rung in self.course.rungs]
        return pictures.plot_curves(self.course.curves, self.spec.objectives[0], rungs)

    def report(self, path: str | Path, made_at: float | None = None) -> Path:
        """Write the self-contained HTML report and return its path.

        Args:
            path: file to write; its folder is made.
            made_at: seconds since the Unix epoch; the end of the last trial by default.

        Raises:
            MissingExtraError: when matplotlib (extra ``viz``) is not installed.
        """
        written = Path(path)
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(pictures.render_report(self._report_data(made_at)), encoding="utf-8")
        return written

    # --- details ---------------------------------------------------------------------------------

    @cached_property
    def _feasible(self) -> list[tuple[tuple[float, ...], TrialRecord]]:
        return [
            (minimised_values(self.spec.objectives, _all_metrics(record)), record)
            for record in (*self.records, *self.reused)
            if self._is_scored(record) and self._holds(record)
        ]

    def _is_scored(self, record: TrialRecord) -> bool:
        """Whether it has a result: also one that waits at a rung, or goes on from there."""
        on_its_way = (TrialState.PAUSED, TrialState.PENDING)
        return record.state in _SCORED or (record.state in on_its_way and bool(record.metrics))

    def _holds(self, record: TrialRecord) -> bool:
        return total_violation(self.spec.constraints, _all_metrics(record)) == 0.0

    def _evaluated(self, record: TrialRecord) -> EvaluatedTrial:
        return EvaluatedTrial(
            number=record.number,
            state=record.state,
            architecture=self.space.architecture(tuple(orjson.loads(record.vector))),
            metrics=_all_metrics(record),
            duration_s=record.duration_s,
            epochs=record.epochs,
            folder=self.folder,
            reused_from=record.reused_from,
        )

    def _point(self, record: TrialRecord) -> pictures.TrialPoint:
        architecture = self.space.architecture(tuple(orjson.loads(record.vector)))
        began = self.record.created_at
        return pictures.TrialPoint(
            number=record.number,
            state="reused" if record.reused_from else record.state.value,
            metrics=_all_metrics(record),
            decisions=plain_decisions(architecture.decisions),
            ended_s=None if record.ended_at is None else max(record.ended_at - began, 0.0),
            duration_s=record.duration_s,
            feasible=self._is_scored(record) and self._holds(record),
        )

    def _report_data(self, made_at: float | None) -> pictures.ReportData:
        drawn = self._feasible and self.space.has_graph
        ends = [r.ended_at for r in self.records if r.ended_at is not None]
        return pictures.ReportData(
            name=self.spec.name,
            state=self.record.state.value,
            reason=self.reason,
            objectives=self.spec.objectives,
            constraints=[str(constraint) for constraint in self.spec.constraints],
            points=self._comparable,
            drawing=self.best.architecture.svg() if drawn else None,
            wall_s=self.record.spent_s,
            failures=[(str(f["kind"]), str(f["message"])) for f in self.failures.values()],
            settings={
                "optimizer": self.spec.optimizer.name,
                "seed": self.spec.seed,
                "trials": self.spec.budget.trials,
                "workers": self.spec.workers,
                "evaluator": self.spec.evaluator.reference,
            },
            space=self.spec.space or repr(self.space),
            versions=_versions(),
            made_at=made_at if made_at is not None else max(ends, default=self.record.created_at),
        )

    def __repr__(self) -> str:
        """The outcome in one line."""
        reused = f" and {len(self.reused)} reused" if self.reused else ""
        count = len(self.records)
        found = f"<Result {self.spec.name!r}: {count} trial{'' if count == 1 else 's'}{reused}, "
        if not self._feasible:
            return f"{found}none with a result{_after(self.first_failure)}>"
        best = self.best
        source = f" (from {best.reused_from})" if best.reused_from else ""
        return (
            f"{found}best #{best.number}{source} "
            f"{_metrics_text(best.metrics)}, {self.reason or self.record.state.value}>"
        )

    def _repr_html_(self) -> str:
        """The ten best trials as a table, for notebooks."""
        names = [objective.name for objective in self.spec.objectives]
        head = "".join(f"<th>{escape(name)}</th>" for name in ("trial", *names, "decisions"))
        rows = "".join(_html_row(trial, names) for trial in self.ranked()[:10])
        title = escape(repr(self)[1:-1])
        return f"<p><b>{title}</b></p><table><tr>{head}</tr>{rows}</table>"


def _after(reason: str) -> str:
    """A reason behind something else, or nothing where there is none."""
    return f"; {reason}" if reason else ""


def _all_metrics(record: TrialRecord) -> dict[str, float]:
    return {**record.computed, **record.metrics}


def _row(point: pictures.TrialPoint) -> dict[str, object]:
    return {
        "number": point.number,
        "state": point.state,
        **point.metrics,
        **point.decisions,
        "feasible": point.feasible,
        "duration_s": point.duration_s,
        "ended_s": point.ended_s,
    }


def _html_row(trial: EvaluatedTrial, names: Sequence[str]) -> str:
    metrics = "".join(f"<td>{trial.metrics[name]:.6g}</td>" for name in names)
    decisions = ", ".join(f"{path}={value}" for path, value in trial.decisions.items())
    return f"<tr><td>{trial.number}</td>{metrics}<td>{escape(decisions)}</td></tr>"


def _metrics_text(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:.6g}" for name, value in metrics.items())


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "morphml": __version__}
    for package in ("torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
