"""Executions over REST look as they do in the store, to the commands of ``morphml workflow``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.server.rest.conftest import serving
from typer.testing import CliRunner

from morphml.cli.app import app
from morphml.cli.workflow_remote import RemoteExecutions
from morphml.client import Client
from morphml.errors import RequestError
from morphml.master.workflows import Executions
from morphml.workflow import ExecutionState

DOCUMENT = {
    "workflowId": "w",
    "metadata": {"by": "me"},
    "jobs": [
        {"id": "a", "type": "preprocessing", "priority": 7},
        {"id": "b", "type": "shell", "dependsOn": ["a"], "config": {"command": ["ls"]}},
    ],
}


def test_all_that_a_server_tells_is_what_is_stored(tmp_path: Path) -> None:
    with serving(str(tmp_path / "a.db")) as served, Client(served.url) as client:
        remote, stored = RemoteExecutions(client), Executions(served.store)
        id = remote.start(DOCUMENT, key="once").id
        assert remote.start(DOCUMENT, key="once").id == id
        assert remote.pause(id).state is ExecutionState.PAUSED
        assert remote.resume(id).state is ExecutionState.RUNNING
        served.store.workflows.write_output(id, {0: [("stdout", "hello\n"), ("log", "x\n")]})
        assert remote.show(id) == stored.show(id)
        assert remote.jobs(id) == stored.jobs(id)
        assert list(remote.events(id)) == list(stored.events(id))
        assert list(remote.events(id, 1)) == list(stored.events(id, 1))
        assert list(remote.logs(id, "a")) == list(stored.logs(id, "a"))
        assert remote.logs(id, "a", 2) == []
        assert remote.cancel(id).state is ExecutionState.CANCELLED
        assert remote.retry(id).state is ExecutionState.RUNNING
        assert remote.list() == stored.list()
        with pytest.raises(RequestError, match="no job"):
            remote.retry(id, "none")


def test_commands_reach_a_master_by_its_address(tmp_path: Path) -> None:
    with serving(str(tmp_path / "a.db")) as served:
        id = Executions(served.store).start(DOCUMENT).id

        def typed(*arguments: str) -> str:
            done = CliRunner().invoke(app, ["workflow", *arguments], env={"COLUMNS": "160"})
            assert done.exit_code == 0, done.output
            return done.stdout

        assert id in typed("list", served.url)
        assert "running, 0 of 2 jobs ended" in typed("status", served.url)
        assert "paused" in typed("pause", served.url, id)
        assert "cancelled" in typed("cancel", served.url, "newest")
        missing = CliRunner().invoke(app, ["workflow", "status", served.url, "xnone"])
        assert missing.exit_code == 2
