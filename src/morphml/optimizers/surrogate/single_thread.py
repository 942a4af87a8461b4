"""Linear algebra on one thread, where the last digits of a result decide what is proposed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _libraries() -> ThreadpoolController:
    """The libraries that are loaded; looking for them takes some milliseconds, once."""
    return ThreadpoolController()


def single_thread() -> AbstractContextManager[object]:
    """BLAS uses one thread inside, so that the same input gives the same bits on any core count."""
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited
