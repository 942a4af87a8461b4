"""A search that is sent to a cluster from outside, refused where it would be of no use there."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphml.cli.ray_job import job_command, submit_search
from morphml.errors import ExperimentError

HEAD = "ray://head:10001"


def test_job_is_the_same_search_on_the_cluster_of_its_head() -> None:
    options = {"workers": 8, "trials": None, "seed": 3, "reuse": False, "json": True}
    words = job_command("http://head:8265", Path("/w"), Path("a/e.yaml"), "postgresql://d", options)
    assert " ".join(words) == (
        "job submit --address http://head:8265 --working-dir /w -- "
        "python -m morphml.cli search a/e.yaml --engine ray:auto --storage postgresql://d "
        "--workers 8 --seed 3 --json"
    )


@pytest.mark.parametrize("storage", [None, "results.db"])
def test_results_that_would_go_with_the_job_are_refused(
    storage: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentError, match="give --storage postgresql"):
        submit_search(tmp_path / "e.yaml", HEAD, storage, {})


def test_file_that_does_not_travel_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ExperimentError, match="the file is elsewhere"):
        submit_search(tmp_path / "e.yaml", HEAD, "postgresql://d", {})
