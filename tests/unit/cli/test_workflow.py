"""``morphml workflow check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from morphml.cli.app import app

PIPELINE = """\
workflowId: digits
jobs:
  - {id: prepare, type: python}
  - {id: train, type: train, dependsOn: [prepare], forEach: "${prepare.sizes}"}
  - {id: export, type: export, dependsOn: [train], when: "${train.accuracy.0} > 0.9"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE)
    return path


def test_a_sound_workflow_is_shown_in_stages(file: Path) -> None:
    ended = CliRunner().invoke(app, ["workflow", "check", str(file)], env={"COLUMNS": "120"})
    assert ended.exit_code == 0
    lines = ended.output.splitlines()
    assert [line.split()[:2] for line in lines if line.split()[:1] in (["1"], ["2"], ["3"])] == [
        ["1", "prepare"],
        ["2", "train"],
        ["3", "export"],
    ]
    assert "digits: 3 jobs in 3 stages, at once: as many as there are slots" in ended.output


def test_programs_get_the_jobs_with_their_defaults(file: Path) -> None:
    ended = CliRunner().invoke(app, ["workflow", "check", str(file), "--json"])
    jobs = json.loads(ended.output)["jobs"]
    assert [(job["id"], job["stage"], job["timeout"]) for job in jobs] == [
        ("prepare", 1, 300.0),
        ("train", 2, None),
        ("export", 3, 300.0),
    ]


def test_every_mistake_is_told_with_its_line(file: Path) -> None:
    file.write_text(PIPELINE.replace("[prepare]", "[prepar]").replace("python", "pyton"))
    ended = CliRunner().invoke(app, ["workflow", "check", str(file), "--json"])
    assert ended.exit_code == 2
    told = json.loads(ended.output)["error"]
    assert "line 3, column 25: unknown job type 'pyton'; did you mean 'python'?" in told
    assert "line 4, column 42: job 'train' depends on 'prepar', which is no job here" in told


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["workflow", "check", str(tmp_path / "no.yaml"), "--json"])
    assert ended.exit_code == 2
    assert "no.yaml: cannot be read" in json.loads(ended.output)["error"]
