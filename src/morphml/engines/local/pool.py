"""The children of an engine: forked, listened to, and replaced when they end."""

from __future__ import annotations

import contextlib
import math
import selectors
import signal
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from morphml.engines.local.attempt import reason_of
from morphml.engines.local.binding import Sight
from morphml.engines.local.code import INSTALLED, Code
from morphml.engines.local.frames import Frame, ProtocolError
from morphml.engines.local.handle import STREAMS, ChildHandle
from morphml.engines.local.launch import Forked, ForkFailed, ForkServer, Gone
from morphml.engines.local.waker import Waker
from morphml.errors import WorkerError

#: What comes after output when several things are ready at once.
_URGENCY = {"frames": 1, "control": 2}
#: The longest wait in seconds; the system knows no longer ones.
_LONGEST_S = 86_400.0
#: Seconds that a child may live on without its socket.
_SILENT_S = 0.5
#: Seconds before a slot is filled again whose last child did not even get ready.
_BACKOFF_S = (0.1, 0.5, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Said:
    """A child sent a message."""

    child: ChildHandle
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wrote:
    """A child, or what it started, wrote to stdout or stderr."""

    child: ChildHandle
    stream: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Died:
    """A child ended; nothing about it follows."""

    child: ChildHandle
    reason: str
    #: All children ended at that moment, and none of them is the cause.
    together: bool = False


Happening: TypeAlias = Said | Wrote | Died


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlan:
    """What is known about a slot before anyone fills it."""

    name: str
    #: What its first child sees.
    sight: Sight


class Pool:
    """One child per slot.

    Args:
        plans: the slots.
        threads: threads that each child's numerical libraries may use.
    """

    def __init__(self, plans: Sequence[SlotPlan], threads: int) -> None:
        self.plans = plans
        self._threads = threads
        self._preload: tuple[str, ...] = ()
        self._selector = selectors.DefaultSelector()
        self._server: ForkServer | None = None
        self._children: dict[int, ChildHandle] = {}
        self._by_pid: dict[int, ChildHandle] = {}
        self._fill_at = dict.fromkeys(range(len(plans)), 0.0)
        self._codes = dict.fromkeys(range(len(plans)), INSTALLED)
        self._sights = {slot: plan.sight for slot, plan in enumerate(plans)}
        self._waker = Waker()
        self._selector.register(self._waker.fileno(), selectors.EVENT_READ, (None, "wake"))
        self._woken = False
        self._misfires = 0
        self._requests = 0
        self._silent: deque[tuple[float, ChildHandle]] = deque()
        self._happened: list[Happening] = []

    @property
    def children(self) -> Iterable[ChildHandle]:
        """The children that were asked for and are not gone, one per slot at most."""
        return self._children.values()

    @property
    def server_pid(self) -> int | None:
        """Process id of the fork server, or None while there is none."""
        return self._server.pid if self._server else None

    @property
    def misfires(self) -> int:
        """Children in a row that ended before they got ready, or could not be forked."""
        return self._misfires

    @property
    def due(self) -> float:
        """When ``wait`` has something to do by itself next; infinity when it has not."""
        silent = self._silent[0][0] if self._silent else math.inf
        return min(silent, *self._fill_at.values()) if self._fill_at else silent

    def start(self, preload: Sequence[str]) -> bool:
        """Start the fork server, if there is none, and fill the slots; whether it imports more.

        A server that runs imports what is new in ``preload`` for the children forked from then on.
        """
        news = [name for name in preload if name not in self._preload]
        self._preload += tuple(news)
        if self._server is None:
            self._fill()
            return False
        if news:
            self._server.preload(news)
        return bool(news)

    def fileno(self) -> int:
        """A descriptor that is readable when ``wait`` would return at once."""
        return self._selector.fileno()

    def wake(self) -> None:
        """End the present ``wait``, or the next one, at once. Thread-safe."""
        self._waker.wake()

    def woken(self) -> bool:
        """Whether ``wake`` was called and seen by ``wait`` since the last question."""
        woken, self._woken = self._woken, False
        return woken

    def replace(
        self, child: ChildHandle, code: Code, sight: Sight | None = None
    ) -> ChildHandle | None:
        """End a child without attempt and fork another for ``code`` in its slot.

        Args:
            child: goes.
            code: what the new one may import.
            sight: what it sees of the machine's devices; by default what the old one saw.

        Returns:
            The new child, which takes frames already; None when it comes later.
        """
        self._forget(child)
        child.kill(signal.SIGKILL)
        self._codes[child.slot] = code
        self._sights[child.slot] = sight or child.sight
        self._fill_at[child.slot] = time.monotonic()
        return self._children[child.slot] if self._fork(child.slot) else None

    def wait(self, timeout_s: float) -> list[Happening]:
        """What happened, in each child's order; waits up to ``timeout_s`` seconds."""
        if self.due <= time.monotonic():
            self._end_silent()
            self._fill()
        ready = self._selector.select(min(timeout_s, _LONGEST_S))
        # Output first: what was printed before a result is to be seen before the result.
        for key, mask in sorted(ready, key=_by_urgency):
            child: ChildHandle | None = key.data[0]
            if child is None and key.data[1] == "wake":
                self._waker.drain()
                self._woken = True
            elif child is None:
                self._listen()
            elif self._children.get(child.slot) is child:
                self._attend(child, key.data[1], mask)
        happened, self._happened = self._happened, []
        return happened

    def _attend(self, child: ChildHandle, what: str, mask: int) -> None:
        if what != "frames":
            self._read(child, what)
            return
        if mask & selectors.EVENT_WRITE:
            child.flush()
            self.watch_backlog(child)
        if mask & selectors.EVENT_READ:
            self._receive(child)

    def send(self, child: ChildHandle, *parts: bytes) -> None:
        """Send frames to a child without waiting."""
        child.send(*parts)
        if child.backlog:
            self.watch_backlog(child)

    def watch_backlog(self, child: ChildHandle) -> None:
        """Be woken when the child's socket takes more, as long as something waits for it."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.backlog else 0)
        with contextlib.suppress(KeyError):
            self._selector.modify(child.socket, events, (child, "frames"))

    def condemn(self, child: ChildHandle, reason: str) -> None:
        """End a child that cannot be talked with."""
        child.condemned = child.condemned or reason
        child.kill(signal.SIGKILL)

    def close(self) -> None:
        """End every process and wait for that."""
        self._fill_at.clear()
        for child in list(self._children.values()):
            self._forget(child)
        if self._server is not None:
            self._selector.unregister(self._server.control)
            self._server.close()
            self._server = None
        self._selector.close()
        self._waker.close()

    def _end_silent(self) -> None:
        """Kill children that closed their socket and live on."""
        while self._silent and self._silent[0][0] <= time.monotonic():
            _, child = self._silent.popleft()
            if self._children.get(child.slot) is child:
                self.condemn(child, "it closed the pipe to its parent")

    # --- filling slots ---------------------------------------------------------------------------

    def _fill(self) -> None:
        now = time.monotonic()
        for slot, at in list(self._fill_at.items()):
            if at <= now and not self._fork(slot):
                self._fill_at[slot] = now + _BACKOFF_S[0]

    def _fork(self, slot: int) -> bool:
        plan = self.plans[slot]
        self._requests += 1
        try:
            server = self._server or self._start_server()
            child = ChildHandle(slot, self._requests, self._codes[slot], self._sights[slot])
        except OSError:
            return False
        request = {
            "fork": child.request,
            "worker": plan.name,
            "device": child.sight.device,
            "env": child.sight.env,
            "path": list(child.code.path),
        }
        try:
            taken = server.fork(request, child.passed)
        except WorkerError:
            taken = False  # its end shows on the control socket
        if not taken:
            child.close()
            return False
        child.close_passed()
        del self._fill_at[slot]
        self._children[slot] = child
        self._selector.register(child.socket, selectors.EVENT_READ, (child, "frames"))
        for name, fd in child.pipes.items():
            self._selector.register(fd, selectors.EVENT_READ, (child, name))
        return True

    def _start_server(self) -> ForkServer:
        self._server = ForkServer(self._preload, self._threads)
        self._selector.register(self._server.control, selectors.EVENT_READ, (None, "control"))
        return self._server

    # --- listening -------------------------------------------------------------------------------

    def _listen(self) -> None:
        assert self._server is not None
        notices = self._server.notices()
        if notices is None:
            self._lose_server()
            return
        for notice in notices:
            match notice:
                case Forked(request=request, pid=pid):
                    child = self._requested(request)
                    if child is not None:
                        child.pid = pid
                        self._by_pid[pid] = child
                        if child.condemned:
                            child.kill(signal.SIGKILL)
                case ForkFailed(request=request, error=error):
                    child = self._requested(request)
                    if child is not None:
                        self._bury(child, f"the system refused a process: {error}")
                case Gone(pid=pid, status=status):
                    child = self._by_pid.get(pid)
                    if child is not None:
                        self._bury(child, _reason(child, status))

    def _requested(self, request: int) -> ChildHandle | None:
        found = (child for child in self._children.values() if child.request == request)
        return next(found, None)

    def _receive(self, child: ChildHandle) -> None:
        try:
            for frame in child.receive():
                self._hear(child, frame)
        except EOFError:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.socket)
            # Most such children are ending, and how they ended is worth waiting for.
            self._silent.append((time.monotonic() + _SILENT_S, child))
        except ProtocolError as error:
            self.condemn(child, f"it broke the protocol: {error}")

    def _hear(self, child: ChildHandle, frame: Frame) -> None:
        assert isinstance(frame, dict)  # a child's reader takes nothing else
        if frame.get("is") == "ready":
            child.ready = True
            self._misfires = 0
        self._happened.append(Said(child, frame))

    def _read(self, child: ChildHandle, stream: str) -> None:
        data = child.read(stream)
        if data is None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.pipes[stream])
        elif data:
            self._happened.append(Wrote(child, stream, data))

    def _bury(self, child: ChildHandle, reason: str, *, together: bool = False) -> None:
        """A child is gone: hear its last words and have its slot filled again."""
        with contextlib.suppress(EOFError, ProtocolError):
            for frame in child.receive():
                self._hear(child, frame)
        for stream in STREAMS:
            self._read(child, stream)
        self._forget(child)
        if not child.ready:
            self._misfires += 1
        wait = 0.0 if child.ready else _BACKOFF_S[min(self._misfires, len(_BACKOFF_S)) - 1]
        self._fill_at[child.slot] = time.monotonic() + wait
        self._happened.append(Died(child, reason, together))

    def _forget(self, child: ChildHandle) -> None:
        descriptors = [child.socket.fileno(), *child.pipes.values()]
        for item in descriptors:
            with contextlib.suppress(KeyError):
                self._selector.unregister(item)
        self._children.pop(child.slot, None)
        self._by_pid.pop(child.pid or 0, None)
        child.close()

    def _lose_server(self) -> None:
        """The fork server is gone, and its children with it; what they started is killed here."""
        assert self._server is not None
        self._selector.unregister(self._server.control)
        self._server.close()
        self._server = None
        for child in list(self._children.values()):
            child.kill(signal.SIGKILL)
            self._bury(child, "the fork server ended", together=True)


def _by_urgency(ready: tuple[selectors.SelectorKey, int]) -> int:
    return _URGENCY.get(ready[0].data[1], 0)


def _reason(child: ChildHandle, status: int) -> str:
    """Why a child ended; SIGKILL was ours where it was condemned."""
    killed = status == -signal.SIGKILL
    return child.condemned if child.condemned and killed else reason_of(status)
