"""How trials came along on their way: learning curves and rungs, read from the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from morphml.search.changes import AttemptRecord
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.fidelity import FIDELITIES, RungCount, create_fidelity
from morphml.search.log import EntryKind, LogEntry, decode_body

#: Epochs done and the metrics there, in rising order.
Curve: TypeAlias = Sequence[tuple[int, Mapping[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happened to the trials of an experiment beside their results."""

    #: All attempts that ended, by number.
    attempts: Sequence[AttemptRecord] = ()
    #: Learning curves by number; read only where a rule of fidelity looks after the trials.
    curves: Mapping[int, Curve] = field(default_factory=dict)
    #: The rungs, lowest first; none without such a rule.
    rungs: Sequence[RungCount] = ()


def course_of(
    spec: ExperimentSpec, entries: Iterable[LogEntry], attempts: Sequence[AttemptRecord]
) -> Course:
    """The course of an experiment with a rule of fidelity; O(entries)."""
    assert spec.fidelity is not None
    curves: dict[int, dict[int, Mapping[str, float]]] = {}
    rested: Counter[int] = Counter()
    went_on: Counter[int] = Counter()
    full = 0
    waiting: dict[int, int] = {}
    for entry in entries:
        body = decode_body(entry)
        match entry.kind:
            case EntryKind.REPORTED | EntryKind.PAUSED:
                curves.setdefault(entry.number, {})[body["step"]] = body["metrics"]
                if entry.kind is EntryKind.PAUSED:
                    rested[body["step"]] += 1
                    waiting[entry.number] = body["step"]
            case EntryKind.PROMOTED:
                went_on[body["from"]] += 1
                waiting.pop(entry.number, None)
            case EntryKind.TOLD:
                waiting.pop(entry.number, None)
                if body["state"] == TrialState.COMPLETED:
                    full += 1
                    curves.setdefault(entry.number, {}).setdefault(spec.max_epochs, body["metrics"])
            case EntryKind.CANCELLED:
                waiting.pop(entry.number, None)
            case _:
                pass
    rule = spec.fidelity
    rungs = create_fidelity(rule.name, spec.max_epochs, **rule.settings).rungs
    if not FIDELITIES[rule.name].pauses:
        rested, went_on = _passed(rungs, [max(curve) for curve in curves.values()])
    held = Counter(waiting.values())
    counts = [
        RungCount(
            epochs=epochs,
            reached=full if epochs == spec.max_epochs else rested[epochs],
            promoted=went_on[epochs],
            waiting=held[epochs],
        )
        for epochs in rungs
    ]
    shown = {number: sorted(curve.items()) for number, curve in curves.items()}
    return Course(attempts=attempts, curves=shown, rungs=counts)


def _passed(rungs: Sequence[int], last: Sequence[int]) -> tuple[Counter[int], Counter[int]]:
    """How many came to each rung, and how many came to the one after it."""
    reached = Counter({rung: sum(step >= rung for step in last) for rung in rungs})
    beyond = {rung: reached[after] for rung, after in pairwise(rungs)}
    return reached, Counter(beyond)
