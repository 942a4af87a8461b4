"""The fork server: one light, single-threaded process that the children are forked from.

It is started as ``python -m morphml.engines.local.forkserver FD`` and talks JSON over that socket.
It imports what children need, never runs user code and never touches CUDA, so a fork of it is clean
and cheap. It ends all children, and all that they started, when its parent ends in whatever way.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from morphml.engines.local import child, kernel
from morphml.engines.local.control import FDS, pack, receive

#: Seconds between looks at the parent, where the kernel cannot tell of its end.
_LOOK_S = 1.0


class _Server:
    """The loop: forks on request, reaps, and cleans up after children."""

    def __init__(self, control: socket.socket, parent: int) -> None:
        self._control = control
        self._parent = parent
        self._pid = os.getpid()
        self._children: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, "control")
        self._wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ, "child")
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno())
        self._watch = _watch(parent)
        if self._watch is not None:
            self._selector.register(self._watch, selectors.EVENT_READ, "parent")

    def serve(self) -> None:
        """Until the parent ends or hangs up; then end everything."""
        try:
            while os.getppid() == self._parent and self._step():
                pass
        finally:
            self._end_all()

    def _step(self) -> bool:
        """Wait for something and do it; False when the parent ended or hung up."""
        ready = self._selector.select(None if self._watch is not None else _LOOK_S)
        names = {key.data for key, _ in ready}
        if "child" in names:
            self._wake.recv(4096)
            self._reap()
        if "parent" in names:
            return False
        return "control" not in names or self._request()

    def _request(self) -> bool:
        found = receive(self._control, FDS)
        if found is None:
            return False
        message, fds = found
        if "preload" in message:
            _import_all(message["preload"])
            return True
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"failed": message["fork"], "error": str(error)})
        else:
            if pid == 0:
                self._become_child(message, fds)
            self._children.add(pid)
            self._tell({"forked": message["fork"], "pid": pid})
        for fd in fds:
            os.close(fd)
        return True

    def _become_child(self, message: dict[str, Any], fds: list[int]) -> NoReturn:
        try:
            kernel.die_with_parent()
            if os.getppid() != self._pid:
                os._exit(1)
            os.setsid()
            kernel.adopt_orphans()
            self._let_go()
            child.run(message, fds)
        finally:
            os._exit(1)

    def _let_go(self) -> None:
        """Close in the child what is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._control.close()
        self._wake.close()
        self._waker.close()
        if self._watch is not None:
            os.close(self._watch)

    def _reap(self) -> None:
        """Collect ended processes; with a child goes all that it started."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            pid = ended.si_pid
            ours = pid in self._children
            if ours:
                # Before it is collected: until then nobody else can get its number.
                kernel.kill_group(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if ours:
                self._children.discard(pid)
                self._kill_strays()
                self._tell({"gone": pid, "status": os.waitstatus_to_exitcode(status)})

    def _kill_strays(self) -> None:
        """Kill what a dead child left behind in sessions of its own; it has become ours."""
        me = os.getpid()
        for pid, (parent, _, _) in kernel.parents().items():
            if parent == me and pid not in self._children:
                kernel.kill_group(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        signal.set_wakeup_fd(-1)
        for pid in self._children:
            kernel.kill_group(pid, signal.SIGKILL)
        while True:
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._children.discard(pid)
            self._kill_strays()

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the parent is gone; the loop notices
            self._control.sendall(pack(message))


def _watch(parent: int) -> int | None:
    """A descriptor that becomes readable when the parent ends, where the system has such a one."""
    try:
        return os.pidfd_open(parent)
    except (AttributeError, OSError):
        return None


def _prepare(greeting: dict[str, Any]) -> None:
    """Become like the parent as far as imports go, then import what children will need."""
    sys.path[:] = greeting["path"]
    sys.argv = greeting["argv"]
    sys.modules["__main__"] = ModuleType("__main__")
    if greeting["pythonpath"] is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = greeting["pythonpath"]
    with contextlib.suppress(OSError):
        os.chdir(greeting["folder"])
    _import_all(greeting["preload"])
    warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)


def _import_all(names: list[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  # the child that needs it will say so again
            Path("/dev/stderr").write_text(f"fork server: {name}: {error}\n", encoding="utf-8")
    gc.collect()
    gc.freeze()


def main(fd: int) -> None:
    """Serve the parent at the other end of socket ``fd`` until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.adopt_orphans()
    parent = os.getppid()
    with socket.socket(fileno=fd) as control:
        greeting = receive(control)
        if greeting is None or greeting[0]["parent"] != parent:
            return
        _prepare(greeting[0])
        _Server(control, parent).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
