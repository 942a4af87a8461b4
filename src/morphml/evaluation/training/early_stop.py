"""Stop a training that no longer gets better."""

from __future__ import annotations

import math
from collections.abc import Mapping


class EarlyStop:
    """Counts epochs without a better score; its state travels with the checkpoints.

    Args:
        patience: epochs in a row that may pass without a better score; None: any number.
        min_delta: what counts as better: by more than this.
        larger_is_better: the direction of the score.
    """

    def __init__(self, *, patience: int | None, min_delta: float, larger_is_better: bool) -> None:
        self._patience = patience
        self._min_delta = min_delta
        self._sign = 1.0 if larger_is_better else -1.0
        self._best = -math.inf
        self._waited = 0

    def should_stop(self, score: float) -> bool:
        """Take the score of one more epoch; True when the patience is used up."""
        if self._sign * score > self._best + self._min_delta:
            self._best, self._waited = self._sign * score, 0
        else:
            self._waited += 1
        return self._patience is not None and self._waited >= self._patience

    def state_dict(self) -> dict[str, object]:
        """The best score and the epochs waited since."""
        return {"best": self._best, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, object], /) -> None:
        """Take over what `state_dict` gave."""
        best, waited = state["best"], state["waited"]
        assert isinstance(best, float)
        assert isinstance(waited, int)
        self._best, self._waited = best, waited
