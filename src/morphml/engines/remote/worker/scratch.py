"""The files of a worker: what its experiments write, and what it fetched for them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.ids import AttemptToken, ExperimentId
from morphml.jobs import Artifact, ArtifactFolder

_LOCK = "lock"
#: Bytes of checkpoints that are kept, so that a trial that goes on here need not fetch its own.
KNOWN_BYTES = 2 << 30


class Scratch:
    """A folder of this worker process, removed at its end; those of dead workers go at the start.

    Args:
        folder: shared by the workers of a machine.
        worker: id of this one.

    Raises:
        OSError: when the folder cannot be made or written.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self.bundles = folder / "bundles"
        self._all = folder / "scratch"
        self._own = self._all / worker
        for kind in ("incoming", "outgoing", "parts", "known"):
            (self._own / kind).mkdir(parents=True)
        self.bundles.mkdir(exist_ok=True)
        self._lock = os.open(self._own / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        #: Files of each attempt: looking through a folder takes too long for many short attempts.
        self._files: dict[AttemptToken, set[Path]] = {}
        #: Bytes of each checkpoint that may be wanted again, by digest; newest last.
        self._known: dict[str, int] = {}
        self._remove_orphans()

    def of(self, experiment: ExperimentId) -> Path:
        """The folder of an experiment, which is made."""
        path = self._own / "experiments" / experiment
        path.mkdir(parents=True, exist_ok=True)
        return path

    def forget(self, experiment: ExperimentId) -> None:
        """Remove the folder of an experiment."""
        shutil.rmtree(self._own / "experiments" / experiment, ignore_errors=True)

    def artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        """The files of an execution's jobs, as far as they are here."""
        return ArtifactFolder(self.of(execution))

    def expect(self, token: AttemptToken) -> Path:
        """Make room for the checkpoint that an attempt goes on from."""
        path = self.incoming(token)
        self._files.setdefault(token, set()).add(path)
        return path

    def incoming(self, token: AttemptToken) -> Path:
        """Where the checkpoint that an attempt goes on from is put."""
        return self._file("incoming", f"{token}.pt")

    def part(self, name: str) -> Path:
        """Where a file that is fetched grows."""
        return self._file("parts", name)

    def keep(self, token: AttemptToken, step: int, written: Path) -> Path | None:
        """Keep a checkpoint that an attempt wrote and may remove; None when it did so already."""
        kept = self._file("outgoing", f"{token}-{step}.pt")
        with contextlib.suppress(OSError):
            kept.unlink(missing_ok=True)
            try:
                os.link(written, kept)
            except PermissionError:
                shutil.copyfile(written, kept)  # a file system without links
            self._files.setdefault(token, set()).add(kept)
            return kept
        return None

    def kept(self, token: AttemptToken, step: int) -> Path:
        """The checkpoint that was kept."""
        return self._file("outgoing", f"{token}-{step}.pt")

    def outgoing(self, attempt: AttemptName, file: CheckpointFile | Artifact) -> Path:
        """Where a file lies that is to be sent."""
        if isinstance(file, Artifact):
            return self.artifacts(attempt.owner).path(file)
        return self.kept(attempt.token, file.step)

    def remember(self, digest: str, path: Path) -> None:
        """Keep a checkpoint under its digest as well, in the place of the oldest ones."""
        size = path.stat().st_size
        if digest in self._known or not digest.isalnum() or size > KNOWN_BYTES:
            return
        with contextlib.suppress(OSError):  # a file system without links
            os.link(path, self._file("known", digest))
            self._known[digest] = size
        while sum(self._known.values()) > KNOWN_BYTES:
            self._forget_known(next(iter(self._known)))

    def recall(self, digest: str, path: Path) -> bool:
        """Put the checkpoint of that digest at ``path``, if it is known here; whether it is."""
        if digest not in self._known:
            return False
        try:
            path.unlink(missing_ok=True)
            os.link(self._file("known", digest), path)
        except OSError:
            return False
        return True

    def _forget_known(self, digest: str) -> None:
        del self._known[digest]
        self._file("known", digest).unlink(missing_ok=True)

    def clear(self, token: AttemptToken, but: int | None = None) -> None:
        """Remove the files of an attempt, all but the kept checkpoint of step ``but``."""
        files = self._files.pop(token, None)
        if files is None:
            return
        left = set() if but is None else files & {self.kept(token, but)}
        for path in files - left:
            path.unlink(missing_ok=True)
        if left:
            self._files[token] = left

    def close(self) -> None:
        """Remove the worker's folder."""
        shutil.rmtree(self._own, ignore_errors=True)
        os.close(self._lock)

    def _file(self, kind: str, name: str) -> Path:
        return self._own / kind / name

    def _remove_orphans(self) -> None:
        """A worker that was killed left its folder; its lock is free."""
        for other in self._all.iterdir():
            if other == self._own:
                continue
            with contextlib.suppress(OSError):
                lock = os.open(other / _LOCK, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(other, ignore_errors=True)
                finally:
                    os.close(lock)
