"""What training jobs go on from: the checkpoints that their lost attempts left at this master."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from morphml.evaluation.checkpoint import step_of
from morphml.ids import ExperimentId


class JobCheckpoints:
    """Checkpoints of jobs in a master's folder, where workers upload them.

    Masters with other folders do not see them: there a job begins anew, as a lost trial does.

    Args:
        folder_of: the folder of an execution's files.
    """

    def __init__(self, folder_of: Callable[[ExperimentId], Path]) -> None:
        self._folder_of = folder_of

    def newest(self, execution: ExperimentId, number: int) -> tuple[int, Path] | None:
        """The checkpoint of a job that is furthest on, and its epochs; None without one."""
        found = [(step_of(path), path) for path in self._of(execution, number)]
        return max(found, default=None)

    def keep_only(self, execution: ExperimentId, number: int, kept: Path | None) -> None:
        """Remove those of a job but one; all where it has succeeded, and nobody goes on from them.

        What the same attempt has saved since stays as well: its news may come after its file.

        Raises:
            OSError: when the disk refuses.
        """
        for path in self._of(execution, number):
            if kept is None or not (path == kept or _is_later(path, kept)):
                path.unlink(missing_ok=True)

    def _of(self, execution: ExperimentId, number: int) -> Iterable[Path]:
        return (self._folder_of(execution) / "checkpoints").glob(f"{number:06d}-*.pt")


def _is_later(path: Path, other: Path) -> bool:
    """Whether the same attempt saved it after the other one."""
    same = path.name.rpartition("-")[2] == other.name.rpartition("-")[2]
    return same and step_of(path) > step_of(other)
