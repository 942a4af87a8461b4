"""The parent's handle of the fork server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from morphml.engines.local import control, kernel
from morphml.errors import WorkerError

#: Environment variables by which numerical libraries size their thread pools.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
#: How threads of a pool wait for each other. They spin by default: where other processes have the
#: cores, a small training step then takes ten times the processor time and twenty times as long.
_WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
#: The module to run; not imported here, since it is run as ``__main__`` over there.
_SERVER = "morphml.engines.local.forkserver"
_CLOSE_S = 10.0
_READ = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """A child was forked on request ``request``."""

    request: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkFailed:
    """The system refused a process."""

    request: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A child ended, and all that it had started was killed."""

    pid: int
    #: Exit code, or minus the number of the signal that killed it.
    status: int


Notice: TypeAlias = Forked | ForkFailed | Gone


class ForkServer:
    """A running fork server.

    Args:
        preload: modules that children will need.
        threads: threads that each child's numerical libraries may use.
    """

    def __init__(self, preload: Iterable[str], threads: int) -> None:
        self.control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter, our own module
                [sys.executable, "-P", "-m", _SERVER, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=_environment(threads),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._buffer = bytearray()
        greeting = {
            "parent": os.getpid(),
            "path": [str(Path(entry or ".").resolve()) for entry in sys.path],
            "argv": sys.argv,
            "pythonpath": os.environ.get("PYTHONPATH"),
            "folder": str(Path.cwd()),
            "preload": list(preload),
        }
        self.control.sendall(control.pack(greeting))
        self.control.setblocking(False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fork(self, request: dict[str, Any], fds: list[int]) -> bool:
        """Ask for a child; False when the server is too busy to take the request now.

        Raises:
            WorkerError: when the server is gone.
        """
        message = control.pack(request)
        try:
            sent = socket.send_fds(self.control, [message], fds)
        except BlockingIOError:
            return False
        except OSError as error:
            raise WorkerError(f"the fork server is gone: {error}") from error
        if sent < len(message):
            raise WorkerError("the fork server took half a request")
        return True

    def preload(self, names: Iterable[str]) -> None:
        """Import more, for the children forked from now on; best effort."""
        with contextlib.suppress(OSError):
            self.control.send(control.pack({"preload": list(names)}))

    def notices(self) -> list[Notice] | None:
        """What the server said since the last call; None when it is gone. Does not wait."""
        try:
            while data := self.control.recv(_READ):
                self._buffer += data
        except BlockingIOError:
            return self._parse()
        except OSError:
            pass
        return None

    def close(self) -> None:
        """End the server and with it every child and all that these started; waits for it."""
        self.control.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            kernel.kill_group(self._process.pid, 9)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_CLOSE_S)

    def _parse(self) -> list[Notice]:
        found: list[Notice] = []
        size = control.LENGTH.size
        while len(self._buffer) >= size:
            end = size + control.LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                break
            found.append(_notice(orjson.loads(bytes(self._buffer[size:end]))))
            del self._buffer[:end]
        return found


def _notice(message: dict[str, Any]) -> Notice:
    if "forked" in message:
        return Forked(request=message["forked"], pid=message["pid"])
    if "failed" in message:
        return ForkFailed(request=message["failed"], error=message["error"])
    return Gone(pid=message["gone"], status=message["status"])


def _environment(threads: int) -> dict[str, str]:
    """This process's environment with room to find morphml and a share of the cores.

    A number of threads, or a way to wait, that the user has set stays.
    """
    environment = {**_WAITING, **os.environ}
    for name in _THREADS:
        environment.setdefault(name, str(threads))
    source = str(Path(__file__).resolve().parents[3])
    known = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([source, known] if known else [source])
    return environment
