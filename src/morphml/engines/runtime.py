"""Runs one attempt in the process it is in: the same code in a child and in process."""

from __future__ import annotations

import bdb
import importlib
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from morphml.engines.failure import failure_of
from morphml.engines.port import (
    OUTPUTS_LIMIT,
    ArchitectureSource,
    Assignment,
    Cancelled,
    Context,
    Failed,
    JobCall,
    Order,
    Outcome,
    PausedAt,
    Stopped,
    Succeeded,
)
from morphml.engines.repetition import Unheard, mean_metrics, repetition
from morphml.errors import EvaluatorError, WorkerError
from morphml.evaluation.contract import Evaluator, NeedsSetup, SetupContext
from morphml.evaluation.metrics import MetricRules, check_result
from morphml.evaluation.orders import TrialCancelled, TrialPaused, TrialStopped
from morphml.evaluation.segment import Segment, TrialChannel
from morphml.evaluation.source_needs import needs_of
from morphml.evaluation.trial import Trial
from morphml.ids import digest
from morphml.jobs import runner
from morphml.scheduling.failures import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An experiment as one process holds it: evaluator ready to be called."""

    evaluator: Evaluator
    space: ArchitectureSource
    rules: MetricRules
    checkpoints: Path
    device: str


def load(context: Context, evaluator: Evaluator, device: str, worker: str) -> Loaded:
    """Make an experiment ready in this process: heavy imports, then the evaluator's ``setup``.

    Raises:
        Exception: whatever ``setup`` raises.
    """
    for name in needs_of(evaluator):
        _import_if_there(name)
    if isinstance(evaluator, NeedsSetup):
        evaluator.setup(
            SetupContext(
                device=device, worker=worker, scratch=context.scratch, settings=context.settings
            )
        )
    return Loaded(
        evaluator=evaluator,
        space=context.space,
        rules=context.rules,
        checkpoints=context.scratch / "checkpoints",
        device=device,
    )


def run(
    loaded: Loaded, assignment: Assignment, channel: TrialChannel, begin: Callable[[], None]
) -> Outcome:
    """Run one attempt to its end and say how it ended; user code's exceptions do not come out.

    Where the trial is repeated, every repetition must succeed, and the metrics are their means. At
    the end of a segment too: the repetitions after the first are trained from the beginning to that
    epoch, since one checkpoint is kept. Where the search ends the first one early, there are no
    others. An attempt at a job calls the job in the place of the evaluator.

    Args:
        loaded: the experiment in this process.
        assignment: what to run.
        channel: where reports go.
        begin: called right before user code; what fails earlier is infrastructure.

    Raises:
        KeyboardInterrupt: when the user pressed Ctrl-C.
        bdb.BdbQuit: when the debugger was left with ``q``.
    """
    if assignment.job is not None:
        return _run_job(loaded, assignment, assignment.job, channel, begin)
    with assignment.place.announced():
        return _run_all(loaded, assignment, channel, begin)


def _run_job(
    loaded: Loaded,
    assignment: Assignment,
    call: JobCall,
    channel: TrialChannel,
    begin: Callable[[], None],
) -> Outcome:
    jobs = loaded.evaluator
    if not isinstance(jobs, runner.JobRunner):
        error = WorkerError(f"{assignment.experiment} is no execution, and was sent a job")
        return failure_of(error, FailureKind.INFRASTRUCTURE)
    attempt_id = digest(assignment.token.encode())
    try:
        with jobs.attempt(
            assignment.experiment, call.job, attempt_id, assignment.seed, channel
        ) as made:
            seed_generators(assignment.seed)
            begin()
            attempt = replace(made, checkpoint=assignment.checkpoint)
            outputs = runner.call(call.type, call.config, attempt, OUTPUTS_LIMIT)
        return Succeeded(outputs=outputs)
    except TrialCancelled:
        return Cancelled()
    except (KeyboardInterrupt, GeneratorExit, bdb.BdbQuit):
        raise
    except BaseException as error:  # noqa: BLE001  # sys.exit too; recorded in the outcome
        return failure_of(error)


def _run_all(
    loaded: Loaded, assignment: Assignment, channel: TrialChannel, begin: Callable[[], None]
) -> Outcome:
    outcome = _run_once(loaded, assignment, channel, begin)
    first = _measured(outcome)
    if assignment.repeats == 1 or first is None:
        return outcome
    results = [first.metrics]
    # Names of checkpoints tell no repetitions apart: the first one's are not to be written over.
    apart = replace(loaded, checkpoints=loaded.checkpoints / "repeated")
    for index in range(1, assignment.repeats):
        again = repetition(assignment, index)
        outcome = _run_once(apart, again, Unheard(channel), lambda: None)
        other = _measured(outcome)
        if other is None:
            waits = isinstance(first, PausedAt) and isinstance(outcome, PausedAt)
            return replace(first, metrics={}) if waits else outcome
        results.append(other.metrics)
    return replace(first, metrics=mean_metrics(results))


def _measured(outcome: Outcome) -> Succeeded | PausedAt | None:
    """The outcome where it is the end of the trial or of a segment, with its metrics."""
    if isinstance(outcome, Succeeded) or (isinstance(outcome, PausedAt) and outcome.metrics):
        return outcome
    return None


def _run_once(
    loaded: Loaded, assignment: Assignment, channel: TrialChannel, begin: Callable[[], None]
) -> Outcome:
    try:
        architecture = loaded.space.architecture(assignment.vector)
        trial = Trial(_segment(loaded, assignment), architecture.hyper, channel)
        seed_generators(assignment.seed)
    except Exception as error:  # noqa: BLE001  # recorded in the outcome
        return failure_of(error, FailureKind.INFRASTRUCTURE)
    begin()
    try:
        value = loaded.evaluator(architecture, trial)
        return _outcome(trial, value, loaded.rules)
    except TrialStopped:
        return Stopped(metrics=dict(trial.metrics))
    except TrialPaused as error:
        if trial.heeded is not Order.PAUSE and channel.order() is Order.CONTINUE:
            return failure_of(_unordered_pause().with_traceback(error.__traceback__))
        return _rest(trial, trial.metrics, loaded.rules)
    except TrialCancelled:
        return Cancelled()
    except (KeyboardInterrupt, GeneratorExit, bdb.BdbQuit):
        raise
    except BaseException as error:  # noqa: BLE001  # sys.exit too; recorded in the outcome
        return failure_of(error)


def seed_generators(seed: int) -> None:
    """Seed the global generators of Python, NumPy and (where imported) torch for one attempt."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # user code may draw from it; same trial, same draws
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)


def _outcome(trial: Trial, value: object, rules: MetricRules) -> Outcome:
    """What a returned value means, given the order that the evaluator was shown before."""
    match trial.heeded:
        case Order.CONTINUE:
            metrics = check_result(value, rules)
            trial.save_at_end()
            return _rest(trial, metrics, rules) if trial.rests else Succeeded(metrics=metrics)
        case Order.CANCEL:
            return Cancelled()
        case Order.PAUSE:
            return _rest(trial, _partial(trial, value, rules), rules)
        case Order.STOP:
            return Stopped(metrics=_partial(trial, value, rules))


def _rest(trial: Trial, metrics: Mapping[str, float], rules: MetricRules) -> Outcome:
    """The trial waits; at the end of a segment it is compared, and so must have all objectives."""
    missing = [name for name in rules.required if name not in metrics]
    if trial.rests and missing:
        return failure_of(
            EvaluatorError(
                f"epoch {trial.to_epoch} ends a segment, where trials are compared, and there is "
                f"no {missing[0]!r} yet: report it there, or use trial.epochs() and return it"
            )
        )
    return PausedAt(step=trial.saved_step, metrics=dict(metrics) if trial.rests else {})


def _unordered_pause() -> EvaluatorError:
    return EvaluatorError(
        "the evaluator raised TrialPaused by itself, and nobody would ever let the trial go on; "
        "report() raises it where the search wants a pause; raise TrialStopped to end early"
    )


def _partial(trial: Trial, value: object, rules: MetricRules) -> dict[str, float]:
    """The metrics of an evaluator that returned early: nothing has to be there."""
    if value is None:
        return dict(trial.metrics)
    return {**trial.metrics, **check_result(value, rules)}


def _segment(loaded: Loaded, assignment: Assignment) -> Segment:
    return Segment(
        number=assignment.number,
        seed=assignment.seed,
        device=assignment.device or loaded.device,
        attempt_id=digest(assignment.token.encode()),
        from_epoch=assignment.from_epoch,
        to_epoch=assignment.to_epoch,
        max_epochs=assignment.max_epochs,
        reported_step=assignment.reported_step,
        checkpoint=assignment.checkpoint,
        checkpoint_folder=loaded.checkpoints,
        checkpoint_at_end=assignment.checkpoint_at_end,
        place=assignment.place,
        experiment=assignment.experiment,
    )


def _import_if_there(name: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError:
        return


def load_failure(error: BaseException) -> Failed:
    """The failure to load an experiment, worded for people where Python's words do not help."""
    if isinstance(error, ImportError | AttributeError):
        told = EvaluatorError(f"the evaluator could not be loaded in this process: {error}")
        error = told.with_traceback(error.__traceback__)
    return failure_of(error, FailureKind.INFRASTRUCTURE)
