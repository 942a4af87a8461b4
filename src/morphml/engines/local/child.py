"""A child process: loads experiments and runs attempts, one at a time, until its parent ends.

It has one thread. Orders are read when the evaluator reports or asks; a signal interrupts one that
does neither. What user code forks and lets return into this loop is ended at once.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TextIO

from morphml.engines import runtime
from morphml.engines.failure import failure_of
from morphml.engines.local import kernel, wire
from morphml.engines.local.parent_link import ParentLink, Phase
from morphml.engines.local.payload import unpack
from morphml.engines.port import Assignment, Failed, Order, Outcome
from morphml.ids import AttemptToken, ExperimentId

#: The longest line that `trial.log` passes on, in characters.
_LINE_LIMIT = 100_000
#: Seconds after which an experiment that could not be loaded is tried again with an attempt.
_STALE_S = 1.0


def run(message: Mapping[str, Any], fds: list[int]) -> NoReturn:
    """Be a child: never returns.

    Args:
        message: the request to fork: ``worker``, ``device``, ``env`` to be set, and folders that
            come first on the import ``path``.
        fds: socket of frames, pipe for stdout, pipe for stderr.
    """
    frames, out, err = fds
    _redirect(out, err)
    os.environ.update(message["env"])
    _import_first(message["path"])
    try:
        _Child(socket.socket(fileno=frames), message["worker"], message["device"]).serve()
    except BaseException:  # noqa: BLE001  # the last place that can tell
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _import_first(path: list[str]) -> None:
    """Let these folders come first where modules are looked for, here and in what is started."""
    if path:
        sys.path[:0] = path
        known = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([*path, known] if known else path)


def _redirect(out: int, err: int) -> None:
    """Let descriptors 0, 1 and 2, and Python's streams on them, be nothing and the two pipes."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # stays open
    sys.stdout = _stream(1)
    sys.stderr = _stream(2)
    faulthandler.enable(file=2)


def _stream(fd: int) -> TextIO:
    """A text stream that writes everything at once, so that a crash loses nothing."""
    raw = io.FileIO(fd, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)


class _Child:
    """The loop of a child."""

    def __init__(self, frames: socket.socket, worker: str, device: str) -> None:
        self._link = ParentLink(frames)
        self._worker = worker
        self._device = device
        self._loaded: dict[ExperimentId, runtime.Loaded | Failed] = {}
        #: What could not be loaded, and when that was tried, in monotonic seconds.
        self._failed: dict[ExperimentId, tuple[bytes, float]] = {}

    def serve(self) -> None:
        """Take frames until the parent hangs up."""
        self._link.send({"is": "ready"})
        while (message := self._link.next()) is not None:
            if isinstance(message, bytes):
                continue
            match message["do"]:
                case "context":
                    payload = self._link.next()
                    assert isinstance(payload, bytes)
                    experiment = wire.experiment_of(message)
                    self._take(experiment, payload)
                    self._link.send({"is": "loaded", "experiment": experiment})
                case "run":
                    self._run(wire.assignment_from_json(message))
                case _:
                    continue  # an order that came too late

    def _take(self, experiment: ExperimentId, payload: bytes) -> None:
        loaded = self._loaded[experiment] = self._learn(payload)
        self._failed.pop(experiment, None)
        if isinstance(loaded, Failed):
            self._failed[experiment] = (payload, time.monotonic())

    def _learn(self, payload: bytes) -> runtime.Loaded | Failed:
        """Load an experiment; a failure is told with its first attempt."""
        try:
            context = unpack(payload)
            return runtime.load(context, context.evaluator.load(), self._device, self._worker)
        except BaseException as error:  # noqa: BLE001  # sys.exit too
            return runtime.load_failure(error)
        finally:
            self._link.leave_if_forked()

    def _run(self, assignment: Assignment) -> None:
        self._try_again(assignment.experiment, time.monotonic())
        loaded = self._loaded[assignment.experiment]
        at, begun = time.time(), time.monotonic()
        if isinstance(loaded, Failed):
            self._finish(assignment.token, loaded, at, 0.0)
            os._exit(0)  # a fresh process tries again
        outcome = self._outcome(loaded, assignment, at)
        began = self._link.phase is Phase.RUNNING
        self._link.phase = Phase.FINISHING
        self._link.leave_if_forked()
        self._finish(assignment.token, outcome, at, time.monotonic() - begun)
        if self._link.interrupted_at is not None or not began:
            # Interrupted anywhere, user code may have left anything half done; and the parent
            # replaces whoever failed before user code.
            os._exit(0)
        self._link.phase = Phase.WAITING

    def _try_again(self, experiment: ExperimentId, now: float) -> None:
        """Load what failed a while ago: its data may be back, and no attempt is to pay for that."""
        payload, tried_at = self._failed.get(experiment, (b"", now))
        if now - tried_at > _STALE_S:
            self._take(experiment, payload)

    def _outcome(self, loaded: runtime.Loaded, assignment: Assignment, at: float) -> Outcome:
        link, token = self._link, assignment.token

        def begin() -> None:
            link.send({"is": "started", "token": token, "at": at})
            link.phase = Phase.RUNNING

        try:
            return runtime.run(loaded, assignment, _Channel(token, link), begin)
        except BaseException as error:  # noqa: BLE001  # what runtime lets pass for a terminal
            return failure_of(error)

    def _finish(self, token: AttemptToken, outcome: Outcome, at: float, duration_s: float) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        kernel.flush_c_streams()
        message = {"is": "finished", "token": token, "at": at, "duration_s": duration_s}
        message["where"] = self._link.interrupted_at or ""
        self._link.send(message | wire.outcome_to_json(outcome), wait=True)


class _Channel:
    """A trial's way to the parent."""

    __slots__ = ("_link", "_token")

    def __init__(self, token: AttemptToken, link: ParentLink) -> None:
        self._token = token
        self._link = link

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        self._tell({"is": "report", "step": step, "metrics": metrics})
        return self.order()

    def order(self) -> Order:
        return self._link.order(self._token)

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        self._tell({"is": "saved", "step": step, "path": str(path), "digest": digest})

    def log(self, text: str) -> None:
        line = text.encode("utf-8", "replace").decode("utf-8")
        self._tell({"is": "log", "text": line[:_LINE_LIMIT] + "\n"})

    def _tell(self, message: dict[str, Any]) -> None:
        self._link.send({"token": self._token, **message})
