"""Short ways to write workflows down in tests."""

from __future__ import annotations

from morphml.workflow import ExecutionMachine, StartJob, Workflow, parse_workflow
from morphml.workflow.machine import Command


def job(id: str, *parents: str, **fields: object) -> dict[str, object]:
    return {"id": id, "type": "python", "dependsOn": list(parents), **fields}


def document(*jobs: dict[str, object], **fields: object) -> dict[str, object]:
    return {"workflowId": "w", "jobs": list(jobs), **fields}


def workflow(*jobs: dict[str, object], **fields: object) -> Workflow:
    return parse_workflow(document(*jobs, **fields))


def machine(*jobs: dict[str, object], **fields: object) -> ExecutionMachine:
    return ExecutionMachine(workflow(*jobs, **fields), "e1")


def started(commands: tuple[Command, ...]) -> list[str]:
    return [each.id for each in commands if isinstance(each, StartJob)]


def states(run: ExecutionMachine) -> dict[str, str]:
    return {id: node.life.state.value for id, node in run.nodes.items()}
