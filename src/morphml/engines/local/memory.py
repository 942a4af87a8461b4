"""How much memory a child and all that it started use."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from morphml.engines.local import kernel
from morphml.engines.local.handle import ChildHandle


def end_overweight(children: Iterable[ChildHandle], now: float) -> None:
    """Kill the children whose attempts use more than they may."""
    for child, used in overweight(children):
        assert child.attempt is not None
        child.attempt.exceed_memory(used, now)
        if child.attempt.tick(now) is signal.SIGKILL:
            child.kill(signal.SIGKILL)


def overweight(children: Iterable[ChildHandle]) -> list[tuple[ChildHandle, int]]:
    """The children whose attempts use more than they may, and how many bytes that is."""
    weighed = {
        child.pid: child
        for child in children
        if child.pid and child.attempt and child.attempt.assignment.memory_limit_bytes
    }
    limits = {pid: _limit(child) for pid, child in weighed.items()}
    used = _resident_bytes(weighed, limits)
    return [(weighed[pid], size) for pid, size in used.items() if size > limits[pid]]


def _limit(child: ChildHandle) -> int:
    assert child.attempt is not None
    return child.attempt.assignment.memory_limit_bytes or 0


def _resident_bytes(leaders: Iterable[int], limits: Mapping[int, int]) -> dict[int, int]:
    """Resident bytes of each leader's family: its session and all its descendants.

    Pages that processes share are counted once where that decides: a family that seems to exceed
    its limit and has more than one member is measured again by its proportional set size.

    Args:
        leaders: process ids of children, each the leader of its session.
        limits: bytes that a leader's family may use.
    """
    table = kernel.parents()
    if not table:
        return {leader: _by_psutil(leader) for leader in leaders}
    used = {}
    for leader in leaders:
        family = _family(leader, table)
        total = sum(table[pid][2] for pid in family)
        if len(family) > 1 and total > limits.get(leader, total):
            total = sum(_proportional(pid, table[pid][2]) for pid in family)
        used[leader] = total
    return used


def _family(leader: int, table: Mapping[int, tuple[int, int, int]]) -> set[int]:
    family = {pid for pid, (_, session, _) in table.items() if session == leader or pid == leader}
    grown = True
    while grown:
        found = {pid for pid, (parent, _, _) in table.items() if parent in family} - family
        family |= found
        grown = bool(found)
    return family


def _proportional(pid: int, resident: int) -> int:
    """Proportional set size of a process; its resident size where the kernel does not tell."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resident


def _by_psutil(leader: int) -> int:
    try:
        process = psutil.Process(leader)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)
    except psutil.Error:
        return 0
