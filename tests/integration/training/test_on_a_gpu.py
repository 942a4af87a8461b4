"""Needs a CUDA device; skipped, and said so, elsewhere."""

from __future__ import annotations

import pytest
import torch

from morphml import layers as L
from morphml.evaluation import Order, Segment, Trial
from morphml.evaluation.training import Classification
from morphml.space import SearchSpace

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


class Silent:
    """A search that only lets a trial go on."""

    def report(self, step: int, metrics: object) -> Order:
        return Order.CONTINUE

    def order(self) -> Order:
        return Order.CONTINUE

    def checkpointed(self, step: int, path: object, digest: str) -> None:
        raise AssertionError("nothing was to be saved")

    def log(self, text: str) -> None:
        raise AssertionError(text)


@pytest.mark.parametrize("amp", [True, False])
def test_digits_are_learned_on_a_gpu_in_half_and_in_full_precision(amp: bool) -> None:
    space = SearchSpace(
        input=(1, 8, 8), layers=[L.conv2d(12), L.batch_norm(), L.relu(), L.flatten(), L.output(10)]
    )
    segment = Segment(number=0, seed=1, device="cuda", attempt_id="ab" * 16, to_epoch=5)
    trial = Trial(segment, {}, Silent())
    metrics = Classification("digits", lr=0.01, amp=amp)(space.default(), trial)
    assert metrics["accuracy"] > 0.9


def test_one_seed_gives_equal_weights_on_every_device() -> None:
    network = SearchSpace(input=(4,), layers=[L.dense(8), L.output(2)]).default()
    here, there = network.build(seed=3), network.build(seed=3, device="cuda")
    assert isinstance(here, torch.nn.Module)
    assert isinstance(there, torch.nn.Module)
    state = there.state_dict()
    assert all(tensor.is_cuda for tensor in state.values())
    assert all(torch.equal(t, state[name].cpu()) for name, t in here.state_dict().items())
