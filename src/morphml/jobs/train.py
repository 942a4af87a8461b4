"""``train``: trains an architecture with the full budget, by the evaluator of its search.

Config: see ``subject``; also ``epochs`` (those of a full trial) and ``seed``. Outputs: ``metrics``,
``epochs``, ``seed``, ``architecture``, and ``weights``, a file, where the evaluator gives
``trial.epochs`` its model. An attempt goes on from the newest checkpoint of a lost one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from morphml.errors import EvaluatorError, WorkerError, WorkflowError
from morphml.evaluation import checkpoint
from morphml.evaluation.metrics import check_metrics, is_number
from morphml.evaluation.orders import Order
from morphml.evaluation.segment import Segment
from morphml.evaluation.trial import Trial
from morphml.ids import digest
from morphml.jobs.contract import JobRun
from morphml.jobs.subject import architecture_of, evaluator_of, settled
from morphml.optimizers.events import JSON
from morphml.space import Architecture

_KEYS = ("architecture", "evaluator", "arguments", "epochs", "seed")


def run(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, object]:
    """Train to the end.

    Raises:
        WorkflowError: when the config has another form.
        Exception: whatever the evaluator raises.
    """
    config = settled(config, _KEYS, run)
    architecture = architecture_of(config, run)
    epochs, seed = _whole(config, "epochs", 0, run), _whole(config, "seed", run.seed, run)
    evaluator = evaluator_of(config, run)
    segment = _segment(run, epochs, seed, _label(config, seed))
    progress = _Progress(run, epochs)
    trial = Trial(segment, architecture.hyper, progress)
    value = evaluator(architecture, trial)
    metrics = _metrics(value)
    progress.over = True
    trial.save_at_end()
    outputs: dict[str, object] = {
        "metrics": metrics,
        "architecture": described(architecture),
        "epochs": epochs,
        "seed": seed,
    }
    weights = _weights(run)
    if weights is None:
        run.log("no weights: the evaluator gives trial.epochs no model=")
    else:
        outputs["weights"] = weights
    return outputs


def described(architecture: Architecture) -> dict[str, object]:
    """The architecture as jobs hand it on: without its graph, which its space gives again."""
    whole = architecture.to_json()
    return {name: whole[name] for name in ("space", "vector", "decisions", "hyper", "point_id")}


def _label(config: Mapping[str, JSON], seed: int) -> str:
    """Tells this training from one with other settings, as a job has it that is run again."""
    return digest(orjson.dumps([config, seed], option=orjson.OPT_SORT_KEYS))


def _segment(run: JobRun, epochs: int, seed: int, label: str) -> Segment:
    return Segment(
        number=0,
        seed=seed,
        device=run.device,
        attempt_id=run.attempt_id,
        to_epoch=epochs,
        max_epochs=epochs,
        checkpoint=_own_checkpoint(run, label),
        label=label,
        checkpoint_folder=run.folder / "checkpoints",
        checkpoint_at_end=True,
    )


def _own_checkpoint(run: JobRun, label: str) -> Path | None:
    """What an attempt that was lost left of this very training, and can be read."""
    if run.checkpoint is None:
        return None
    try:
        saved = checkpoint.load(run.checkpoint, "cpu")
    except WorkerError as error:
        run.log(f"begins anew: {error}")
        return None
    if saved.label != label:
        run.log("begins anew: what was saved is of a training with other settings")
        return None
    run.log(f"goes on after epoch {saved.step}")
    return run.checkpoint


def _weights(run: JobRun) -> Path | None:
    """The newest checkpoint with nothing but the model in it."""
    found = sorted((run.folder / "checkpoints").glob("*.pt"))
    if not found:
        return None
    state = checkpoint.load(found[-1], "cpu").state.get("model")
    if state is None:
        return None
    path = run.folder / "weights.pt"
    checkpoint.save(path, 0, {"model": state})
    return path


def _metrics(value: object) -> Mapping[str, float]:
    if isinstance(value, Mapping):
        return check_metrics(value.items(), "returned")
    if is_number(value):
        return check_metrics([("score", value)], "returned")
    raise EvaluatorError(
        f"the evaluator returned {type(value).__name__}, not a number or a mapping of metrics"
    )


def _whole(config: Mapping[str, JSON], name: str, default: int, run: JobRun) -> int:
    value = config.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise WorkflowError(f"job {run.job}: {name}: expected a whole number, got {value!r}")
    return value


class _Progress:
    """The channel of the training: reports are lines of the job's log; only a cancel arrives."""

    def __init__(self, run: JobRun, epochs: int) -> None:
        self._run = run
        self._epochs = epochs
        #: Whether the evaluator has returned.
        self.over = False

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        """Write the metrics to the log."""
        told = ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        self._run.log(f"epoch {step}: {told}")
        return self.order()

    def order(self) -> Order:
        """To end at once, where the job was cancelled."""
        order = self._run.channel.order()
        return order if order is Order.CANCEL else Order.CONTINUE

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        """Let another attempt go on from there if this one is lost; its end is an output."""
        if not self.over and (not self._epochs or step < self._epochs):
            self._run.channel.checkpointed(step, path, digest)

    def log(self, text: str) -> None:
        """Pass the line on."""
        self._run.channel.log(text)
