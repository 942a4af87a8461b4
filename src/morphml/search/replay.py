"""Ask every proposal of a log again, and every promotion and stop, from its own prefix."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from morphml.errors import ConstraintError
from morphml.search.log import EntryKind, LogEntry, decode_body
from morphml.search.machine import SearchMachine

_ASKING = (EntryKind.ASKED, EntryKind.ANSWERED, EntryKind.REJECTED)
#: What a rule of fidelity decides: who goes on, and whether a report ends a trial.
_DECIDED = (EntryKind.PROMOTED, EntryKind.REPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay found."""

    #: Entries read.
    entries: int
    #: Proposals asked again.
    asked: int
    #: The first entry that came out otherwise, or None.
    difference: LogEntry | None
    #: What was proposed in its place, or None where nothing was.
    proposed: LogEntry | None

    @property
    def passed(self) -> bool:
        """Whether every proposal came out the same."""
        return self.difference is None


def check_replay(machine: SearchMachine, entries: Iterable[LogEntry]) -> ReplayReport:
    """Replay a log on a fresh machine, up to the first difference.

    Args:
        machine: fresh, with the experiment's spec, space and a fresh optimizer; where the search
            reused results, with ``sharing_of_log``.
        entries: the log from its first entry.
    """
    expected: deque[LogEntry] = deque()
    read = asked = 0
    for entry in entries:
        read += 1
        if entry.kind in _DECIDED and machine.segments.rule is not None:
            proposed = _decide_again(machine, entry)
            if proposed != entry:
                return ReplayReport(entries=read, asked=asked, difference=entry, proposed=proposed)
            continue
        if entry.kind not in _ASKING:
            machine.fold([entry])
            continue
        if not expected:
            expected.extend(_ask_again(machine))
        proposed = expected.popleft() if expected else None
        if proposed != entry:
            return ReplayReport(entries=read, asked=asked, difference=entry, proposed=proposed)
        asked += 1
    return ReplayReport(entries=read, asked=asked, difference=None, proposed=None)


def _ask_again(machine: SearchMachine) -> tuple[LogEntry, ...]:
    # Nothing is asked after the space was exhausted, but a later run may have tried it once more.
    machine.standing.exhausted = False
    with suppress(ConstraintError):  # the rejections that led there are compared one by one
        machine.ask()
    return machine.drain().entries


def _decide_again(machine: SearchMachine, entry: LogEntry) -> LogEntry | None:
    """What the rule of fidelity says now; the machine has learnt it."""
    if entry.kind is EntryKind.PROMOTED:
        machine.promote()
    else:
        body = decode_body(entry)
        machine.report(entry.number, body["step"], body["metrics"])
    entries = machine.drain().entries
    return entries[0] if entries else None
