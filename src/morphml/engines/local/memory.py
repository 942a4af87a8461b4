"""How much memory a child and all that it started use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from morphml.engines.local import kernel


def resident_bytes(leaders: Iterable[int], limits: Mapping[int, int]) -> dict[int, int]:
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
