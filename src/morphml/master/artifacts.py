"""Files of one run: checkpoints, captured output, the evaluator by value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from morphml.engines.port import Checkpointed
from morphml.errors import StoreUnavailable
from morphml.master.flights import Flight
from morphml.search.changes import CheckpointPointer

#: Bytes of captured output kept for one trial; what comes after is dropped and said so once.
OUTPUT_LIMIT = 4 * 1024 * 1024


class RunArtifacts:
    """The folder of one experiment's files.

    Args:
        folder: made when it is not there.

    Raises:
        StoreUnavailable: when the disk refuses, here and wherever something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with refusals_told(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._written: dict[int, int] = {}
        #: Trials that have checkpoints, as far as they were there at the start or have ended since.
        self._kept = {_number_of(path) for path in self._checkpoints().glob("[0-9]*-*.pt")}

    def path(self, key: str) -> Path:
        """Where the file of ``key`` lies."""
        return self.folder / key

    def keep_checkpoint(self, flight: Flight, event: Checkpointed) -> CheckpointPointer | None:
        """The pointer to a checkpoint that a child wrote below the folder.

        Returns:
            None where the child has removed it again: it keeps the two newest, and may have saved
            more since the last turn.
        """
        try:
            size = event.path.stat().st_size
        except FileNotFoundError:
            return None
        return CheckpointPointer(
            token=flight.token,
            number=flight.number,
            step=event.step,
            key=event.path.relative_to(self.folder).as_posix(),
            digest=event.digest,
            size=size,
        )

    def prune_checkpoints(self, ended: Iterable[int], needed: Callable[[int], bool]) -> None:
        """Delete checkpoints of ended trials that nobody needs, or not any more.

        Args:
            ended: trials that have just ended.
            needed: whether a trial has not ended, or is one whose weights a person may want: the
                best, and the front.
        """
        self._kept.update(ended)
        for number in [number for number in self._kept if not needed(number)]:
            for path in self._checkpoints().glob(f"{number:06d}-*"):
                with refusals_told(path):
                    path.unlink(missing_ok=True)
            self._kept.discard(number)

    def keep_only(self, number: int, key: str) -> None:
        """Delete what other attempts of an ended trial left, so that its weights are its own."""
        kept = self.path(key)
        if not kept.exists():
            return
        for path in self._checkpoints().glob(f"{number:06d}-*"):
            if path != kept:
                path.unlink(missing_ok=True)

    def forget_output(self, number: int) -> None:
        """A trial has ended: nothing more is written for it."""
        self._written.pop(number, None)

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
        with refusals_told(path):
            path.parent.mkdir(exist_ok=True)
            with path.open("ab") as file:
                file.write(data)


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """Within it a disk that refuses is an error of the store, as it is for the database beside it.

    Raises:
        StoreUnavailable: with the path and what to do.
    """
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"{path}: the disk refused ({error.strerror or error}); nothing stored before is lost; "
            "free space there, or make the folder writable, then resume"
        ) from error


def _number_of(checkpoint: Path) -> int:
    return int(checkpoint.name.partition("-")[0])
