"""A job type of another package, found by its entry point."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphml.errors import WorkflowError
from morphml.jobs.registry import job_type
from morphml.workflow import parse_workflow


def test_type_of_an_installed_package_is_known_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doubling.py").write_text(
        "def run(config, run):\n    return {'twice': 2 * config['value']}\nnothing = 3\n"
    )
    installed = tmp_path / "doubling-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: doubling\nVersion: 1.0\n")
    entries = "[morphml.job_types]\ndouble = doubling:run\nbroken = doubling:nothing\n"
    (installed / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(tmp_path)
    document = {"workflowId": "w", "jobs": [{"id": "a", "type": "double", "config": {"value": 4}}]}
    (job,) = parse_workflow(document).jobs
    found = job_type(job.type)
    assert found(job.config, None) == {"twice": 8}  # type: ignore[arg-type]  # it asks for nothing
    with pytest.raises(WorkflowError, match="expected a function"):
        job_type("broken")
