"""The folder of one attempt at a job: there from its first use to the attempt's end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from morphml.errors import WorkerError


class Workplace:
    """Makes the folder when it is asked for: most small jobs need none, and disks are slow.

    Args:
        scratch: the folder that it is made in.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder; empty when it is first asked for.

        Raises:
            WorkerError: when the disk refuses.
        """
        if self._folder is None:
            try:
                self._scratch.mkdir(parents=True, exist_ok=True)
                self._folder = Path(tempfile.mkdtemp(prefix="job-", dir=self._scratch.resolve()))
            except OSError as error:
                raise WorkerError(f"{self._scratch}: no place for a job's files: {error}") from None
        return self._folder

    def remove(self) -> None:
        """Remove what is there of it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
