"""Bayesian optimisation with a Gaussian process by Optuna: Matern kernel, logEI (Ament, 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.study import StudyGuide, StudySettings, require_installed
from morphml.space import SearchSpace

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True, kw_only=True)
class OptunaGpSettings:
    """Settings of Optuna's Gaussian process."""

    #: Random draws to begin with, >= 1.
    starts: int = 10
    #: Results that the process sees, >= 20: half of them the best, half the youngest, and those
    #: that came since; moves on after each tenth of it.
    window: int = 100

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("optuna_gp", "starts", self.starts, 1)
        require_least("optuna_gp", "window", self.window, 20)


class OptunaGp:
    """Evaluates where the logarithm of the expected improvement is greatest.

    Trials under way enter by what the process believes of them. With several objectives each ask
    weighs them anew (ParEGO, Knowles, 2006): the gain of hypervolume takes seconds.
    """

    name: str = "optuna_gp"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``OptunaGpSettings``."""
        require_installed(self.name, "optuna", "torch", "scipy")
        self.space = space
        self._settings = read_settings(OptunaGpSettings, self.name, settings)
        self._guide = StudyGuide(
            space,
            StudySettings(
                name=self.name,
                make_sampler=partial(_sampler, self._settings),
                starts=self._settings.starts,
                window=self._settings.window,
                every=self._settings.window // 10,
                first=self._settings.window,
                tries=1,
                weighs=True,
            ),
        )

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """Fits the process and climbs its acquisition; O(window^3)."""
        with _one_thread():
            return self._guide.propose(rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions)."""
        self._guide.observe(event)


def _sampler(settings: OptunaGpSettings, seed: int) -> BaseSampler:
    from optuna.samplers import GPSampler  # noqa: PLC0415 takes a second, and few need it

    return GPSampler(n_startup_trials=settings.starts, seed=seed, warn_independent_sampling=False)


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch uses one thread inside: the same bits on any core count, and faster on such sizes."""
    import torch  # noqa: PLC0415 takes seconds, and only this optimizer needs it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
