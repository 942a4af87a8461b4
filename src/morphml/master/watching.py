"""Who watches a search that nobody was given to watch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from morphml.search.progress import Observer, Progress


@contextmanager
def watching(observer: Observer | None, *, workers: int) -> Iterator[Observer]:
    """The observer given; else a live view on the terminal, where there is one.

    In process (``workers=0``) the terminal belongs to the evaluator and its debugger.
    """
    if observer is not None:
        yield observer
    elif workers == 0 or not sys.stderr.isatty():
        yield _nobody
    else:
        # rich is for terminals only, and not cheap to import
        from rich.console import Console  # noqa: PLC0415

        from morphml.visualization.progress import progress_view  # noqa: PLC0415

        with progress_view(Console(stderr=True)) as view:
            yield view


def _nobody(progress: Progress) -> None:
    """Sees nothing."""
