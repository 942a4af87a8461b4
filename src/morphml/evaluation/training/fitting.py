"""The training loop of the built-in evaluators."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import torch
from torch import nn

from morphml.errors import EvaluatorError
from morphml.evaluation.training.early_stop import EarlyStop
from morphml.evaluation.training.goal import Goal
from morphml.evaluation.training.options import TrainingOptions
from morphml.evaluation.training.tensors import TensorPart
from morphml.evaluation.trial import Trial

#: Samples in one step when nothing is learned.
_EVALUATION_BATCH = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitting:
    """One training: everything that stays the same from epoch to epoch."""

    model: nn.Module
    train: TensorPart
    validation: TensorPart
    goal: Goal
    options: TrainingOptions
    trial: Trial

    def run(self) -> dict[str, float]:
        """The validation metrics after the last epoch; reported after each.

        Raises:
            EvaluatorError: when the loss is no longer finite.
            TrialStopped, TrialPaused: from ``trial.report``.
        """
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = make_optimizer(self.options, parameters) if parameters else None
        stop = EarlyStop(
            patience=self.options.patience,
            min_delta=self.options.min_delta,
            larger_is_better=self.goal.larger_is_better,
        )
        metrics: dict[str, float] = {}
        for epoch in self.trial.epochs(
            self.options.epochs, model=self.model, optimizer=optimizer, early_stop=stop
        ):
            if optimizer is not None:
                self._train(optimizer, epoch)
            metrics = self.evaluate(self.validation)
            enough = stop.should_stop(metrics[self.goal.watched])
            # After `enough` is known: a pause raised here saves the count.
            self.trial.report(epoch, **metrics)  # type: ignore[arg-type]  # no metric is "check"
            if enough:
                break
        return metrics or self.evaluate(self.validation)

    def evaluate(self, part: TensorPart) -> dict[str, float]:
        """The metrics over ``part``, with the model in evaluation mode."""
        with self._precision():
            return measure(self.model, part, self.goal)

    def _train(self, optimizer: torch.optim.Optimizer, epoch: int) -> None:
        self.model.train()
        set_learning_rate(optimizer, self._rate(epoch))
        scaler = torch.amp.GradScaler(enabled=self._half is torch.float16)
        total = torch.zeros((), device=self.train.y.device)
        for x, y in self.train.batches(self.options.batch_size, self._order(epoch)):
            if len(y) == 1 and len(self.train) > 1:
                continue  # batch norm has no variance of one sample
            optimizer.zero_grad(set_to_none=True)
            with self._precision():
                loss = self.goal.loss(_output(self.model, x), y)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's backward
            if self.options.clip_norm is not None:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip_norm)
            scaler.step(optimizer)
            scaler.update()
            total += loss.detach()
        if not math.isfinite(total.item()):
            raise EvaluatorError(
                f"training diverged: the loss is not finite in epoch {epoch} "
                f"(optimizer={self.options.optimizer}, lr={self.options.lr:g})"
            )

    def _order(self, epoch: int) -> torch.Tensor:
        """The order of the samples, by seed and epoch alone: a resumed trial repeats it."""
        generator = torch.Generator().manual_seed(self.trial.seed * 100_003 + epoch)
        return torch.randperm(len(self.train), generator=generator).to(self.train.y.device)

    def _rate(self, epoch: int) -> float:
        if self.options.schedule == "constant":
            return self.options.lr
        last = self.options.epochs or self.trial.max_epochs or epoch
        return self.options.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, (epoch - 1) / last)))

    @property
    def _half(self) -> torch.dtype | None:
        if not self.options.amp or self.train.y.device.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16

    def _precision(self) -> contextlib.AbstractContextManager[object]:
        if self._half is None:
            return contextlib.nullcontext()
        return torch.autocast(self.train.y.device.type, dtype=self._half)


def measure(model: nn.Module, part: TensorPart, goal: Goal) -> dict[str, float]:
    """The metrics over ``part``, with the model in evaluation mode.

    Raises:
        EvaluatorError: when the network has several outputs.
    """
    model.eval()
    with torch.inference_mode():
        outputs = [_output(model, x) for x, _ in part.batches(_EVALUATION_BATCH)]
    return goal.metrics(torch.cat(outputs).float(), part.y)


def _output(model: nn.Module, x: object) -> torch.Tensor:
    output = model(x)
    if isinstance(output, torch.Tensor):
        return output
    names = ", ".join(output) if isinstance(output, dict) else type(output).__name__
    raise EvaluatorError(
        f"the built-in training needs a network with one output, this one gives {names}; "
        "write an evaluator for it"
    )


def make_optimizer(
    options: TrainingOptions, parameters: list[nn.Parameter]
) -> torch.optim.Optimizer:
    """The optimizer that the options name, over ``parameters``."""
    lr, decay = options.lr, options.weight_decay
    match options.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, lr=lr, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=lr, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, lr=lr, momentum=options.momentum, weight_decay=decay)
        case _:
            return torch.optim.RMSprop(
                parameters, lr=lr, momentum=options.momentum, weight_decay=decay
            )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters of ``optimizer``."""
    for group in optimizer.param_groups:
        group["lr"] = rate
