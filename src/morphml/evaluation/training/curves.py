"""Learning curves of several trainings of one network, for tables of results."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from morphml.evaluation.contract import SetupContext
from morphml.evaluation.data.dataset import Dataset, Part
from morphml.evaluation.data.loading import load_dataset
from morphml.evaluation.data.splitting import split
from morphml.evaluation.training.prepared import NEEDS
from morphml.evaluation.trial import Trial
from morphml.optimizers.events import JSON
from morphml.seeds import training_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from morphml.evaluation.training.tensors import TensorPart
    from morphml.space import Architecture


class Curves:
    """Evaluator: trains a network several times, and scores it after each epoch.

    The samples are split into three equal parts, to train on, to validate and to test. Training
    ``k`` of every network begins with the same seed, and so may be repeated alone.

    Args:
        data: name of a data set, see ``load_dataset``; labels are integers from 0.
        seeds: how many trainings.
        epochs: of each; the learning rate falls to 0 over them, along a cosine.
        batch_size: samples in one step.
        lr: Adam's learning rate at the start.
        seed: root of all randomness: of the split, of weights and of orders.
    """

    version = "1"
    needs = NEEDS

    def __init__(
        self,
        data: str = "digits",
        *,
        seeds: int = 3,
        epochs: int = 12,
        batch_size: int = 100,
        lr: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.data = data
        self.seeds = seeds
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.seed = seed
        self._parts: tuple[TensorPart, TensorPart, TensorPart] | None = None

    @property
    def arguments(self) -> Mapping[str, JSON]:
        """What makes an equal evaluator on another machine."""
        return {
            "data": self.data,
            "seeds": self.seeds,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "lr": self.lr,
            "seed": self.seed,
        }

    def setup(self, context: SetupContext) -> None:
        """Load the data; one thread, since sums over several depend on how many there are.

        Raises:
            CallerError: there is no such data set.
        """
        import torch  # noqa: PLC0415 - heavy

        torch.set_num_threads(1)
        self._loaded()

    def __call__(self, architecture: Architecture, trial: Trial, /) -> dict[str, float]:
        """``accuracy`` (mean over the seeds, validation, in the end), the curves, and the time.

        The curves are ``validation_S_E`` and ``test_S_E``, right answers after epoch E of training
        S; ``seconds`` is the processor time of one epoch, the least of all.
        """
        metrics: dict[str, float] = {}
        seconds = []
        for number in range(self.seeds):
            for epoch, (validation, test, took) in enumerate(self._train(architecture, number), 1):
                metrics[f"validation_{number}_{epoch}"] = validation
                metrics[f"test_{number}_{epoch}"] = test
                seconds.append(took)
        last = [metrics[f"validation_{number}_{self.epochs}"] for number in range(self.seeds)]
        accuracy = sum(last) / self.seeds / len(self._loaded()[1])
        return {"accuracy": accuracy, "seconds": min(seconds), **metrics}

    @property
    def samples(self) -> tuple[int, int, int]:
        """How many there are to train on, to validate and to test."""
        train, validation, test = self._loaded()
        return len(train), len(validation), len(test)

    def _train(self, architecture: Architecture, number: int) -> list[tuple[float, float, float]]:
        """Right answers of both held-out parts, and seconds of training, for each epoch."""
        import torch  # noqa: PLC0415 - heavy
        from torch.nn.functional import cross_entropy  # noqa: PLC0415 - heavy

        train, validation, test = self._loaded()
        torch.manual_seed(training_seed(self.seed, number))
        model = architecture.build()
        assert isinstance(model, torch.nn.Module)
        step = _stepping(model, self.lr, self.epochs * -(-len(train) // self.batch_size))
        curve = []
        for _ in range(self.epochs):
            began = time.process_time()
            model.train()
            for x, y in train.batches(self.batch_size, torch.randperm(len(train))):
                step(cross_entropy(model(x), y))
            took = time.process_time() - began
            model.eval()
            with torch.inference_mode():
                right = [
                    (model(part.x[""]).argmax(1) == part.y).sum().item()
                    for part in (validation, test)
                ]
            curve.append((float(right[0]), float(right[1]), took))
        return curve

    def _loaded(self) -> tuple[TensorPart, TensorPart, TensorPart]:
        from morphml.evaluation.training.tensors import tensor_part  # noqa: PLC0415 - torch

        if self._parts is None:
            train, validation, test = (
                tensor_part(part, device="cpu", classes=True)
                for part in thirds(load_dataset(self.data), self.seed)
            )
            self._parts = train, validation, test
        return self._parts

    def __getstate__(self) -> dict[str, object]:
        """All but the tensors: another process loads its own."""
        return {**self.__dict__, "_parts": None}


def _stepping(model: nn.Module, lr: float, steps: int) -> Callable[[Tensor], None]:
    """What learns from the loss of a batch; nothing where nothing leads to the output."""
    import torch  # noqa: PLC0415 - heavy

    weights = list(model.parameters())
    if not weights:
        return lambda loss: None
    optimizer = torch.optim.Adam(weights, lr=lr, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def step(loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()
        schedule.step()

    return step


def thirds(dataset: Dataset, seed: int) -> tuple[Part, Part, Part]:
    """Three parts of equal size with the classes in their shares, by seed alone."""
    first = split(dataset, validation=2 / 3, seed=seed, stratify=True)
    rest = Dataset(name=dataset.name, train=first.validation)
    second = split(rest, validation=1 / 2, seed=seed, stratify=True)
    return first.train, second.train, second.validation
