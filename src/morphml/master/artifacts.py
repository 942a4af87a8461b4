"""Files of one run: checkpoints, captured output, the evaluator by value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from morphml.engines.port import Checkpointed
from morphml.errors import StoreUnavailable
from morphml.master.flights import Flight
from morphml.master.ports import Exchange
from morphml.search.changes import CheckpointPointer

#: Bytes of captured output kept for one trial; what comes after is dropped and said so once.
OUTPUT_LIMIT = 4 * 1024 * 1024


class RunArtifacts:
    """The folder of one experiment's files.

    Args:
        folder: made when it is not there.
        exchange: has checkpoints of masters with other folders; None where there are none.

    Raises:
        StoreUnavailable: when the disk refuses, here and wherever something is written.
    """

    def __init__(self, folder: Path, exchange: Exchange | None = None) -> None:
        self.folder = folder
        self._exchange = exchange
        #: Digests of what the exchange has of trials that have not ended.
        self._shared: dict[int, str] = {}
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
            more since the last turn. None too where it lies in another master's folder alone.
        """
        if _fetched(event.path, event.digest, self._exchange):
            self._remember(flight.number, event.digest)
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

    def find(self, pointer: CheckpointPointer) -> Path | None:
        """Where a checkpoint lies, fetched from the exchange if need be; None where it is lost."""
        here = self.path(pointer.key).exists()
        found = find_checkpoint(self.folder, self._exchange, pointer)
        if found and not here:
            self._remember(pointer.number, pointer.digest)
        return found

    def share(self, pointer: CheckpointPointer) -> None:
        """Let masters that do not see this folder have a checkpoint at which a trial waits."""
        if self._exchange and self._exchange.put(pointer.digest, self.path(pointer.key)):
            self._remember(pointer.number, pointer.digest)

    def _remember(self, number: int, digest: str) -> None:
        self._unshare(number, but=digest)
        self._shared[number] = digest

    def _unshare(self, number: int, but: str = "") -> None:
        """Nobody goes on from what the exchange has of a trial, but for this digest."""
        digest = self._shared.pop(number, but)
        if self._exchange and digest != but and digest not in self._shared.values():
            self._exchange.drop([digest])

    def prune_checkpoints(self, ended: Iterable[int], needed: Callable[[int], bool]) -> None:
        """Delete checkpoints of ended trials that nobody needs, or not any more.

        Args:
            ended: trials that have just ended.
            needed: whether a trial has not ended, or is one whose weights a person may want: the
                best, and the front.
        """
        ended = tuple(ended)
        for number in ended:
            self._unshare(number)
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


def find_checkpoint(
    folder: Path, exchange: Exchange | None, pointer: CheckpointPointer
) -> Path | None:
    """Where a checkpoint lies in a run's folder, fetched if need be; None where it is lost.

    Raises:
        StoreUnavailable: when the exchange cannot be asked, or the disk refuses.
    """
    path = folder / pointer.key
    return path if path.exists() or _fetched(path, pointer.digest, exchange) else None


def _fetched(path: Path, digest: str, exchange: Exchange | None) -> bool:
    """Whether a file was not here, and is now."""
    if exchange is None or path.exists():
        return False
    with refusals_told(path):
        return exchange.get(digest, path)


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
