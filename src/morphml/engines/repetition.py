"""Evaluating one trial several times on purpose, to average its noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from morphml.engines.port import Assignment
from morphml.evaluation.orders import Order
from morphml.evaluation.segment import TrialChannel
from morphml.seeds import training_seed


def repetition(assignment: Assignment, index: int) -> Assignment:
    """The assignment of repetition ``index`` >= 1: another seed, from the first epoch."""
    return replace(
        assignment,
        seed=training_seed(assignment.seed, index),
        from_epoch=0,
        reported_step=None,
        checkpoint=None,
        checkpoint_at_end=False,
    )


def mean_metrics(results: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the repetitions that returned it."""
    means = {}
    for name in dict.fromkeys(name for metrics in results for name in metrics):
        values = [metrics[name] for metrics in results if name in metrics]
        means[name] = sum(values) / len(values)
    return means


class Unheard:
    """The channel of the repetitions after the first: orders arrive, reports go nowhere.

    The search knows one curve a trial, and steps rise strictly, so only the first repetition's
    reports and checkpoints count.

    Args:
        channel: the trial's own.
    """

    def __init__(self, channel: TrialChannel) -> None:
        self._channel = channel

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        """The last known order; the report is dropped."""
        return self._channel.order()

    def order(self) -> Order:
        """The last known order."""
        return self._channel.order()

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        """Remove the checkpoint: nobody goes on from it."""
        path.unlink(missing_ok=True)

    def log(self, text: str) -> None:
        """Pass the line on."""
        self._channel.log(text)
