"""What `morphml status` makes of a cluster."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from morphml.cli.status import figure_of, offers_text, status_document, status_view
from morphml.ids import ExperimentId, SessionId
from morphml.master.cluster.status import ClusterStatus, ExperimentStatus
from morphml.scheduling.worker import WorkerState
from morphml.search.experiment import ExperimentState
from morphml.storage import TaskState
from morphml.storage.cluster import MasterRow, WorkerRow

NOW = 1_800_000_000.0


@pytest.fixture
def cluster() -> ClusterStatus:
    return ClusterStatus(
        masters=(
            MasterRow(
                session=SessionId("s1"),
                name="box-1",
                address="box-1:50051",
                started_at=NOW - 3 * 3600 - 300,
                lease_left_s=7.25,
                experiments=(ExperimentId("e1"),),
            ),
        ),
        workers=(
            WorkerRow(
                id="w1",
                name="gpu [bold]box[/]",
                state=WorkerState.BUSY,
                offers={"cpu": 8.0, "gpu": 2.0, "memory": 8e9, "ssd": 1.0},
                figures={"slots": 4, "running": 3, "cpu_percent": 91.6, "memory_percent": 40},
                joined_at=NOW,
                silent_s=0.4,
                master=SessionId("s1"),
            ),
            WorkerRow(
                id="w2",
                name="w2",
                state=WorkerState.IDLE,
                joined_at=NOW,
                figures={"slots": "many"},
                master=SessionId("gone"),
            ),
        ),
        experiments=(
            ExperimentStatus(
                id=ExperimentId("e1"),
                name="digits",
                state=ExperimentState.RUNNING,
                reason="",
                priority=7,
                taken=12,
                budget=200,
                tasks={TaskState.PENDING: 5, TaskState.LEASED: 3},
                driver="box-1",
            ),
        ),
    )


def shown(cluster: ClusterStatus) -> str:
    console = Console(file=io.StringIO(), width=160, highlight=False)
    console.print(status_view(cluster, NOW))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def line_with(text: str, word: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if word in line]
    return line.split()


def test_the_tables_say_who_drives_what(cluster: ClusterStatus) -> None:
    cluster = ClusterStatus(
        masters=cluster.masters, workers=cluster.workers[:1], experiments=cluster.experiments
    )
    text = shown(cluster)
    assert "1 master, 1 worker, 3 of 4 slots busy" in text
    assert line_with(text, "box-1:50051") == ["box-1", "box-1:50051", "3h05", "7.2", "e1"]
    assert line_with(text, "digits") == [
        "e1",
        "digits",
        "running",
        "7",
        "12/200",
        "5",
        "3",
        "box-1",
    ]
    assert "told" in text  # a line is as old as that; the worker need not be silent
    worker = line_with(text, "gpu [bold]box[/]")  # a name is never read as markup
    assert worker[2:] == [
        "busy",
        "4",
        "3",
        "92",
        "40",
        "0.4",
        "8",
        "cpu,",
        "2",
        "gpu,",
        "ssd",
        "box-1",
    ]


def test_why_an_experiment_waits_stands_on_a_line_of_its_own(cluster: ClusterStatus) -> None:
    (experiment,) = cluster.experiments
    waits = replace(experiment, waits_for=("gpu 2, which no worker has",))
    found = replace(cluster, workers=cluster.workers[:1], experiments=(waits,))
    lines = shown(found).splitlines()
    assert lines[-1].strip() == "digits (e1): waits: gpu 2, which no worker has"
    assert max(len(line.rstrip()) for line in lines[-5:]) <= 80


def test_gpus_have_a_column_where_a_worker_has_some(cluster: ClusterStatus) -> None:
    first, second = cluster.workers[0], replace(cluster.workers[1], figures={})
    assert line_with(shown(replace(cluster, workers=(first, second))), "w2")[5:7] == ["0", "0.0"]
    busy = replace(first, figures={**first.figures, "gpu_percent": 87.4})
    text = shown(replace(cluster, workers=(busy, second)))
    assert line_with(text, "gpu [bold]box[/]")[5:8] == ["92", "40", "87"]
    assert line_with(text, "w2")[4:7] == ["0", "0", "-"]


def test_a_worker_without_figures_is_shown_all_the_same(cluster: ClusterStatus) -> None:
    worker = cluster.workers[1]
    assert figure_of(worker, "slots") == 0.0
    assert offers_text(worker) == ""


def test_an_empty_cluster_is_told_as_one() -> None:
    nobody = ClusterStatus(masters=(), workers=(), experiments=())
    assert shown(nobody).strip() == "0 masters, 0 workers, 0 of 0 slots busy"


def test_the_document_holds_the_same(cluster: ClusterStatus) -> None:
    cluster = ClusterStatus(
        masters=cluster.masters, workers=cluster.workers[:1], experiments=cluster.experiments
    )
    document = json.loads(json.dumps(status_document(cluster)))
    assert document["slots"] == 4
    assert document["masters"][0]["experiments"] == ["e1"]
    assert document["workers"][0]["offers"]["memory"] == 8e9
    assert document["experiments"][0]["tasks"] == {"pending": 5, "leased": 3}
    assert document["experiments"][0]["driver"] == "box-1"
