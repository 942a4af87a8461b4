"""Keeps data sets in a folder of the machine: each is loaded once, whoever asks first."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from morphml.errors import EvaluatorError, WorkerError
from morphml.evaluation.shared_data import arrays
from morphml.evaluation.shared_data.loaders import identity_of
from morphml.ids import digest

#: Seconds without use after which a data set is removed, when another one is made.
KEPT_S = 7 * 86_400.0


class SharedData:
    """The data sets of one experiment, and those that have a name, on this machine.

    Args:
        folder: of the machine, made when it is needed; on a local disk, since all processes of the
            machine map its files.
        experiment: data without a name are its own, so that no other sees them.
    """

    def __init__(self, folder: Path, experiment: str) -> None:
        self._folder = folder
        self._experiment = experiment

    def get(self, source: Callable[[], object] | str | Path, name: str | None = None) -> object:
        """What the source gives, with its arrays mapped from one copy on this machine.

        A process that asks while another loads waits for it. When that one dies, the next loads.

        Args:
            source: a loader, the path of a ``.npy`` file, or what `load_dataset` knows by name.
            name: for just these data, for all experiments on this machine and for good.

        Raises:
            EvaluatorError: when what it gives cannot be shared, or which data they are cannot be
                told without a name.
            WorkerError: when the folder cannot be used.
            Exception: whatever the loader raises.
        """
        if isinstance(source, Path) or (isinstance(source, str) and source.endswith(".npy")):
            return arrays.read_file(Path(source).expanduser())
        if isinstance(source, str):
            key, load = digest(f"known {source}".encode()), _known(source)
        elif callable(source):
            key, load = self._key(source, name), source
        else:
            raise EvaluatorError(
                f"dataset: a function that returns arrays, a .npy file or a name, got {source!r}"
            )
        entry = self._folder / key
        try:
            with suppress(FileNotFoundError):
                return _opened(entry)
            with self._lock(key):
                if not (entry / arrays.LAYOUT).exists():
                    self._make(entry, load)
                return _opened(entry)
        except OSError as error:
            if not _is_under(error, self._folder):
                raise
            raise WorkerError(
                f"dataset: the folder {self._folder} cannot be used: {error}; name another one "
                "with MORPHML_DATA_CACHE"
            ) from error

    def _key(self, loader: Callable[[], object], name: str | None) -> str:
        if name is not None:
            return digest(f"named {name}".encode())
        return digest(f"own {self._experiment} {identity_of(loader)}".encode())

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Have the data set alone; the system lets go of it when the process dies."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / f"{key}.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make(self, entry: Path, load: Callable[[], object]) -> None:
        unfinished = entry.with_suffix(".part")
        for left in (unfinished, entry):
            shutil.rmtree(left, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            arrays.write(unfinished, load())
            unfinished.rename(entry)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self._forget_old(time.time())

    def _forget_old(self, now: float) -> None:
        """Remove what nobody has used for long; whoever has it mapped keeps what was mapped."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                if now - path.stat().st_mtime <= KEPT_S:
                    continue
                if path.is_dir():  # in one step, so that nobody opens what is half removed
                    shutil.rmtree(path.rename(path.with_suffix(".part")), ignore_errors=True)
                elif not path.with_suffix("").exists():
                    path.unlink()


def _opened(entry: Path) -> object:
    found = arrays.read(entry)
    os.utime(entry)
    return found


def _known(name: str) -> Callable[[], object]:
    def load() -> object:
        # Few evaluators want these, and every child process imports this file.
        from morphml.evaluation.data import load_dataset  # noqa: PLC0415
        from morphml.settings import read_settings  # noqa: PLC0415

        found = load_dataset(name, folder=read_settings().data.folder)
        parts = {"train": found.train} | ({"test": found.test} if found.test else {})
        return {
            f"{axis}_{word}": getattr(part, axis)
            for word, part in parts.items()
            for axis in ("x", "y")
        }

    return load


def _is_under(error: OSError, folder: Path) -> bool:
    return error.filename is not None and Path(error.filename).is_relative_to(folder)
