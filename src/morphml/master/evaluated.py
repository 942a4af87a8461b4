"""One evaluated trial, with everything a person does with a winner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from morphml.evaluation import checkpoint
from morphml.search.experiment import TrialState
from morphml.search.sharing import TrialSource
from morphml.space import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedTrial:
    """An architecture with what is known of it."""

    number: int
    state: TrialState
    architecture: Architecture
    #: Returned and computed metrics.
    metrics: Mapping[str, float]
    #: Seconds of evaluation.
    duration_s: float
    epochs: int
    #: The experiment's files.
    folder: Path
    #: The other experiment's trial whose result this is; then ``number`` is -1, -2, ..., there is
    #: no checkpoint here, and evaluation has cost nothing.
    reused_from: TrialSource | None = None

    @property
    def decisions(self) -> Mapping[str, object]:
        """Active decisions by path."""
        return self.architecture.decisions

    @property
    def hyper(self) -> Mapping[str, object]:
        """Hyperparameters by name."""
        return self.architecture.hyper

    @property
    def checkpoint(self) -> Path | None:
        """The newest checkpoint that is kept of this trial, or None."""
        found = sorted((self.folder / "checkpoints").glob(f"{self.number:06d}-*.pt"))
        return found[-1] if found else None

    @property
    def weights(self) -> object | None:
        """The trained state of its newest checkpoint: what its evaluator gave ``trial.epochs``.

        None where none was kept: a trial that is no candidate any more, or ``model=`` not given.
        """
        found = self.checkpoint
        return None if found is None else checkpoint.load(found, "cpu").state.get("model")

    def build(self, framework: str = "torch") -> object:
        """A fresh model of the architecture; for torch a ``torch.nn.Module``."""
        return self.architecture.build(framework)

    def to_python(self, path: str | Path, weights: object = None) -> Path:
        """Write a standalone source file of the model, and its weights beside it.

        Args:
            path: the file to write.
            weights: a state dict or module; the trial's own by default, where some were kept.
        """
        return self._export(self.architecture.to_python, path, weights)

    def to_onnx(self, path: str | Path, weights: object = None) -> Path:
        """Write the model as ONNX with a free batch size; arguments as ``to_python``.

        Raises:
            MissingExtraError: when onnxscript (extra ``onnx``) is not installed.
        """
        return self._export(self.architecture.to_onnx, path, weights)

    def _export(self, write: Callable[..., object], path: str | Path, weights: object) -> Path:
        if weights is None:
            weights = self.weights
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write(path, weights=weights)
        return Path(path)

    def to_json(self) -> dict[str, object]:
        """Number, decisions, metrics and architecture as a JSON object."""
        return {
            "number": self.number,
            "state": self.state.value,
            "metrics": dict(self.metrics),
            "duration_s": self.duration_s,
            "epochs": self.epochs,
            "reused_from": None if self.reused_from is None else str(self.reused_from),
            "architecture": self.architecture.to_json(),
        }

    def _repr_svg_(self) -> str:
        """The architecture's drawing, for notebooks."""
        return self.architecture.svg()
