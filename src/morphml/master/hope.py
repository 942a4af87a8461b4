"""Whether a run is worth going on with: where nothing works, another hundred trials say no more."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.optimizers.events import JSON

#: Trials that fail before any succeeds, after which a run gives up and shows the first error.
HOPELESS = 10


class Hope:
    """What the first attempts of one run came to.

    Args:
        worked: whether a trial succeeded in an earlier run.
    """

    def __init__(self, *, worked: bool) -> None:
        self._worked = worked
        self._begun = False
        self._failed = 0
        self._first: Mapping[str, JSON] | None = None
        self._alike = True
        self._again = False

    def began(self) -> None:
        """An evaluator was called: its code, data and device could be loaded."""
        self._begun = True

    def succeeded(self) -> None:
        """A trial has a result."""
        self._worked = True

    def failed_attempt(self, failure: Mapping[str, JSON], *, again: bool) -> None:
        """An attempt failed; it may be tried again.

        Args:
            failure: what is stored of it.
            again: whether an earlier attempt at the same task failed with the same error.
        """
        if self._first is None:
            self._first = failure
        raised = bool(failure["traceback"]) and failure["digest"] == self._first["digest"]
        self._alike = self._alike and raised
        self._again = self._again or again

    def failed_trial(self) -> None:
        """A trial failed for good."""
        self._failed += 1

    @property
    def waits(self) -> bool:
        """Whether new trials wait until a retry shows that an evaluator can be called at all."""
        return self._first is not None and not self._begun

    @property
    def in_vain(self) -> bool:
        """Whether more retries would say no more.

        Nothing worked or even began, and a task that was tried again, elsewhere where there is
        another worker, raised the one error that all attempts raised: ``setup`` or an import fails
        by itself. A child that dies while it loads is no such error: the node may be at fault.
        """
        return not self._worked and not self._begun and self._again and self._alike

    @property
    def lost(self) -> str | None:
        """Why the run is given up, or None.

        Either ``HOPELESS`` trials failed and none succeeded, or one died, after all its retries or
        ``in_vain``, and no evaluator was ever called: the import, the data or the device is at
        fault.
        """
        if self._worked or self._first is None or not self._failed:
            return None
        error = f"{self._first['error_type']}: {self._first['message']}"
        if not self._begun:
            return f"no evaluator could begin, whatever was tried: {error}"
        if self._failed >= HOPELESS:
            return f"the first {self._failed} trials all failed: {error}"
        return None
