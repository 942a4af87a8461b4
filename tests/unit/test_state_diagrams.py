from __future__ import annotations

from pathlib import Path

import pytest

from morphml.scheduling import diagrams
from morphml.scheduling.diagrams import Machine, mermaid, states_page
from morphml.search import diagrams as search_diagrams
from morphml.workflow import diagrams as workflow_diagrams

PAGE = Path(__file__).resolve().parents[2] / "docs" / "states.md"
MACHINES = (*diagrams.MACHINES, *search_diagrams.MACHINES, *workflow_diagrams.MACHINES)


def test_page_in_docs_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == states_page(MACHINES), "stale: run `make docs`"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.title)
def test_diagram_shows_every_state_and_every_move(machine: Machine) -> None:
    drawn = mermaid(machine)
    for (state, _), targets in machine.table.items():
        for target in targets:
            assert target is state or f"    {state} --> {target}: " in drawn
    assert all(f" {state}" in drawn for state in type(machine.first))


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.title)
def test_every_state_can_be_reached_from_the_first(machine: Machine) -> None:
    reached, edge = {machine.first}, {machine.first}
    while edge:
        edge = {t for (s, _), ts in machine.table.items() if s in edge for t in ts} - reached
        reached |= edge
    assert reached == set(type(machine.first))
