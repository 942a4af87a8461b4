"""Files of one run: checkpoints, captured output, the evaluator by value."""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path

from morphml.engines.port import Checkpointed
from morphml.master.flights import Flight
from morphml.search.changes import CheckpointPointer

#: Bytes of captured output kept for one trial; what comes after is dropped and said so once.
OUTPUT_LIMIT = 4 * 1024 * 1024


class RunArtifacts:
    """The folder of one experiment's files.

    Args:
        folder: made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._written: dict[int, int] = {}
        #: Ended trials whose checkpoints are kept.
        self._kept = {int(path.name[:6]) for path in self._checkpoints().glob("*.pt")}

    def path(self, key: str) -> Path:
        """Where the file of ``key`` lies."""
        return self.folder / key

    def keep_checkpoint(self, flight: Flight, event: Checkpointed) -> CheckpointPointer:
        """The pointer to a checkpoint that a child wrote below the folder."""
        return CheckpointPointer(
            token=flight.token,
            number=flight.number,
            step=event.step,
            key=event.path.relative_to(self.folder).as_posix(),
            digest=event.digest,
            size=event.path.stat().st_size,
        )

    def prune_checkpoints(self, ended: Iterable[int], winners: Set[int]) -> None:
        """Delete checkpoints of ended trials that are no winners, or not any more.

        Args:
            ended: trials that have just ended.
            winners: the trials whose weights a person may want: the best, and the front.
        """
        self._kept.update(ended)
        for number in self._kept - winners:
            for path in self._checkpoints().glob(f"{number:06d}-*"):
                path.unlink(missing_ok=True)
        self._kept &= winners

    def _checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def output_path(self, number: int) -> Path:
        """Where the captured output of trial ``number`` lies."""
        return self.folder / "output" / f"{number:06d}.log"

    def append_output(self, flight: Flight, stream: str, text: str) -> None:
        """Append captured output of a trial; ``stream`` other than stdout is marked."""
        written = self._written.get(flight.number, 0)
        if written > OUTPUT_LIMIT:
            return
        data = text.encode()
        self._written[flight.number] = written + len(data)
        if written + len(data) > OUTPUT_LIMIT:
            data = b"\n[output cut: more than 4 MiB]\n"
        path = self.output_path(flight.number)
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.write(data)
