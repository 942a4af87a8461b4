"""Which process a master is, so that another one of its machine can see that it is dead."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from morphml.optimizers.events import JSON

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
#: Place of the start among the words of ``/proc/PID/stat`` after the name of the program.
_STARTED = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessName:
    """One process of one machine, never to be taken for another one.

    A number of a process means nothing in another container, although that runs on the same kernel:
    so the namespace of the numbers is part of the name, and the start of the process, since numbers
    come again.
    """

    #: Of the kernel, drawn at random when it booted.
    boot: str
    #: Of process numbers, such as ``pid:[4026531836]``.
    namespace: str
    pid: int
    #: Clock ticks from boot to its start.
    started: int

    def to_json(self) -> list[JSON]:
        """The name as JSON."""
        return [self.boot, self.namespace, self.pid, self.started]

    @classmethod
    def from_json(cls, told: JSON) -> Self | None:
        """The name that a master wrote, or None where it wrote none."""
        match told:
            case [str() as boot, str() as namespace, int() as pid, int() as started] if pid > 0:
                return cls(boot=boot, namespace=namespace, pid=pid, started=started)
            case _:
                return None


@cache
def this_process() -> ProcessName | None:
    """This process; None where the system does not tell enough of it (macOS)."""
    try:
        boot = _BOOT.read_text().strip()
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return None
    pid = os.getpid()
    started = _started(pid)
    if not boot or started is None:
        return None
    return ProcessName(boot=boot, namespace=namespace, pid=pid, started=started)


def is_dead(other: ProcessName | None) -> bool:
    """Whether a process is certainly dead: False for one of another machine or container."""
    mine = this_process()
    if other is None or mine is None:
        return False
    if (other.boot, other.namespace) != (mine.boot, mine.namespace):
        return False
    try:
        os.kill(other.pid, 0)  # sees what /proc may hide
    except ProcessLookupError:
        return True
    except OSError:
        return False  # somebody else's
    started = _started(other.pid)
    return started is not None and started != other.started


def _started(pid: int) -> int | None:
    try:
        words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return int(words[_STARTED])
    except (OSError, ValueError, IndexError):
        return None
