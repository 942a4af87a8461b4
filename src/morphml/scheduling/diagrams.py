"""State diagrams drawn from the transition tables, so that the documentation cannot lie."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from morphml.scheduling import breaker, driver_lease, experiment, task, worker
from morphml.scheduling.task_events import TaskState
from morphml.scheduling.transitions import State, Table

Moves: TypeAlias = Mapping[tuple[StrEnum, type], tuple[StrEnum, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine as its page shows it."""

    title: str
    #: What it decides, in one sentence.
    purpose: str
    table: Moves
    first: StrEnum


def plain(table: Table[State]) -> Moves:
    """The table with its states seen as plain words, so that all machines have one type."""
    return {(state, event): targets for (state, event), targets in table.items()}


#: Every machine, in the order of the page.
MACHINES = (
    Machine(
        title="Task",
        purpose="Who may run a segment or a job, and what becomes of each attempt.",
        table=plain(task.TRANSITIONS),
        first=TaskState.PENDING,
    ),
    Machine(
        title="Worker",
        purpose="Whether a worker is there, and how many attempts it may be sent.",
        table=plain(worker.TRANSITIONS),
        first=worker.WorkerState.JOINING,
    ),
    Machine(
        title="Breaker",
        purpose="Whether anything is sent to a worker, or started in an experiment, that fails.",
        table=plain(breaker.TRANSITIONS),
        first=breaker.BreakerState.CLOSED,
    ),
    Machine(
        title="Experiment",
        purpose="When a search may ask, and why it ended.",
        table=plain(experiment.TRANSITIONS),
        first=experiment.ExperimentState.CREATED,
    ),
    Machine(
        title="Driver lease",
        purpose="Which master drives an experiment: at most one, fenced by epoch and nonce.",
        table=plain(driver_lease.TRANSITIONS),
        first=driver_lease.DriverState.FREE,
    ),
)

_HEAD = """# States

Each machine is a value and a function `step` of the value and an event, in `morphml.scheduling` and
`morphml.workflow`. The diagrams and lists are drawn from the tables in the code by `make docs`;
an event that a state does not list raises `IllegalTransition` and changes nothing.
"""


def states_page(machines: Iterable[Machine]) -> str:
    """The whole page ``docs/states.md``."""
    return "\n".join([_HEAD, *(_section(machine) for machine in machines)])


def mermaid(machine: Machine) -> str:
    """A Mermaid state diagram; events that stay in their state are left to the list below it."""
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (state, event), targets in machine.table.items():
        for target in targets:
            if target is not state:
                arrows.setdefault((state, target), []).append(_words(event.__name__))
    lines = ["stateDiagram-v2", f"    [*] --> {machine.first}"]
    lines += [
        f"    {state} --> {target}: {', '.join(events)}"
        for (state, target), events in arrows.items()
    ]
    lines += [f"    {state} --> [*]" for state in type(machine.first) if _is_final(machine, state)]
    return "\n".join(lines)


def _section(machine: Machine) -> str:
    rows = ["| state | event | may follow |", "|---|---|---|"]
    rows += [
        f"| {state} | {_words(event.__name__)} | {', '.join(targets)} |"
        for (state, event), targets in machine.table.items()
    ]
    drawing = f"```mermaid\n{mermaid(machine)}\n```"
    return "\n\n".join([f"## {machine.title}", machine.purpose, drawing, "\n".join(rows)]) + "\n"


def _is_final(machine: Machine, state: StrEnum) -> bool:
    left_for = {t for (s, _), targets in machine.table.items() if s is state for t in targets}
    return left_for <= {state}


def _words(name: str) -> str:
    """``StreamBroke`` as ``stream broke``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
