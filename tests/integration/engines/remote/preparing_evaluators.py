"""Evaluators that note when they are set up, and in which process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


class Counted:
    """Leaves a line for each ``setup`` and each call in the file that TALLY names."""

    def setup(self, context: Any) -> None:
        _note("setup")

    def __call__(self, arch: Any, trial: Any) -> float:
        _note("call")
        return 1.0


class Stuck(Counted):
    """Never gets ready in the first worker of a test."""

    def setup(self, context: Any) -> None:
        if os.environ["TALLY"].endswith("-0"):
            time.sleep(600)
        super().setup(context)


def _note(word: str) -> None:
    with Path(os.environ["TALLY"]).open("a", encoding="ascii") as file:
        file.write(f"{word} {os.getpid()}\n")


counted = Counted()
stuck = Stuck()
