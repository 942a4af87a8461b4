"""Checkpoints and code between a worker and a master that share no disk."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted_master import (
    EXPERIMENT,
    ScriptedMaster,
    context,
    order,
    score,
    task,
    token_of,
)
from tests.integration.engines.remote.worker_processes import WorkerProcess, Workers

from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.evaluation.bundle import pack
from morphml.ids import digest

#: An epoch lasts so long unless it is paused.
EPOCH_S = 60.0


def froms(worker: WorkerProcess) -> list[str]:
    """The epochs that attempts went on from."""
    words = [line.split()[0] for line in worker.tally.read_text().splitlines()]
    return [word.removeprefix("from-") for word in words if word.startswith("from-")]


def heard_of(master: ScriptedMaster, token: str) -> list[str]:
    """Checkpoints and ends of an attempt, in the order in which they were heard."""
    found = []
    for _, event in master.heard:
        if event.HasField("saved") and event.saved.token == token:
            found.append(f"saved {event.saved.step}")
        elif event.HasField("result") and event.result.attempt.token == token:
            found.append(event.result.WhichOneof("outcome") or "")
    return found


def named(master: ScriptedMaster, key: str) -> pb.Saved:
    data = master.files[key]
    step = int(key.partition("@")[2])
    return pb.Saved(step=step, digest=digest(data), size=len(data))


@pytest.mark.parametrize("same_worker", [True, False])
def test_checkpoints_go_up_before_the_pause_and_down_before_the_next_segment(
    workers: Workers, same_worker: bool
) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1)
        master.wait_for("registration")
        first = task(3, EPOCH_S)
        master.send(context("remote_training:counting"), first)
        master.wait_for("saved")
        master.send(order(token_of(first), "pause"))
        master.wait_for("result")
        paused = master.results()[0].paused
        heard = heard_of(master, token_of(first))
        assert heard[-2:] == [f"saved {paused.step}", "paused"]
        assert paused.step >= 1
        key = f"3@{paused.step}"
        second = task(3, 0.0, checkpoint=named(master, key))
        if same_worker:
            del master.files[key]  # it wrote it, and need not fetch it
            other = worker
        else:
            worker.signal(signal.SIGTERM)
            assert worker.wait() == 0
            other = workers.start(master.port, slots=1)
            master.wait_for("registration", 2)
            master.send(context("remote_training:counting"))
        master.send(second)
        master.wait(lambda: token_of(second) in master.ends())
        assert master.ends()[token_of(second)].HasField("succeeded")
        assert heard_of(master, token_of(second))[-2:] == ["saved 4", "succeeded"]
        master.wait_for("beat", len(master.of("beat")) + 2)
        kept = [path for path in (workers.folder / "files").rglob("outgoing/*.pt")]
    segments = froms(worker) if same_worker else froms(worker) + froms(other)
    assert segments == ["0", str(paused.step)]
    assert not kept, "what a master has is not kept here"


def test_checkpoint_goes_to_the_next_master_before_the_result_does(workers: Workers) -> None:
    with ScriptedMaster() as first:
        first.acknowledges = False
        workers.start(first.port, slots=1)
        first.wait_for("registration")
        trial = task(0, 0.0)
        first.send(context("remote_training:counting"), trial)
        first.wait_for("result")
        assert "0@4" in first.files
        first.kill()
    with ScriptedMaster(first.port, session="m2") as second:
        second.wait_for("result")
        assert heard_of(second, token_of(trial)) == ["saved 4", "succeeded"]
        assert second.files["0@4"] == first.files["0@4"]


def test_checkpoint_that_no_master_takes_does_not_hold_the_result_up(workers: Workers) -> None:
    with ScriptedMaster() as master:
        master.takes_uploads = False
        worker = workers.start(master.port, slots=1)
        master.wait_for("registration")
        trial = task(0, EPOCH_S)
        master.send(context("remote_training:counting"), trial)
        master.wait_for("report")
        master.send(order(token_of(trial), "pause"))
        master.wait_for("result")
        assert master.results()[0].paused.step == 0
        assert not master.of("saved")
    assert "was not stored: not yours" in worker.said()


def test_checkpoint_that_is_missing_or_another_fails_the_attempt(workers: Workers) -> None:
    with ScriptedMaster() as master:
        workers.start(master.port, slots=1)
        master.wait_for("registration")
        master.files["1@2"] = b"not what was announced"
        wrong = pb.Saved(step=2, digest=digest(b"what was announced"), size=18)
        absent, another = task(0, checkpoint=wrong), task(1, checkpoint=wrong)
        master.send(context("remote_training:counting"), absent, another)
        master.wait_for("result", 2)
    ends = master.ends()
    assert ends[token_of(absent)].failed.kind == "infrastructure"
    assert "NOT_FOUND" in ends[token_of(absent)].failed.message
    assert "digest" in ends[token_of(another)].failed.message


def project(folder: Path, value: float) -> Path:
    folder.mkdir()
    (folder / "constants.py").write_text(f"VALUE = {value}\n")
    (folder / "study.py").write_text(
        "from constants import VALUE\ndef evaluate(arch, trial):\n    return VALUE\n"
    )
    return folder


def test_bundles_with_modules_of_the_same_name_run_side_by_side(
    workers: Workers, tmp_path: Path
) -> None:
    bundles = {value: pack(project(tmp_path / f"p{value:.0f}", value)) for value in (1.0, 2.0)}
    with ScriptedMaster() as master:
        workers.start(master.port, slots=2)
        master.wait_for("registration")
        expected = {}
        for value, bundle in bundles.items():
            master.files[bundle.digest] = bundle.data
            name = f"e{value:.0f}"
            master.send(context("study:evaluate", experiment=name, bundle=bundle.digest))
        for number in range(8):
            value = 1.0 + number % 2
            each = task(number, experiment=f"e{value:.0f}")
            expected[token_of(each)] = {"score": value}
            master.send(each)
        master.wait_for("result", 8)
        assert {token: score(end) for token, end in master.ends().items()} == expected
        master.kill()
    with ScriptedMaster(master.port) as again:
        again.wait_for("registration")
        told = again.of("registration")[0].registration
        assert set(told.bundles) == {bundle.digest for bundle in bundles.values()}


def test_bundle_that_cannot_be_had_fails_its_tasks(workers: Workers) -> None:
    with ScriptedMaster() as master:
        workers.start(master.port, slots=1)
        master.wait_for("registration")
        damaged = "ab" * 32
        master.files[damaged] = b"no archive"
        absent, broken, fine = (
            task(0, experiment="absent"),
            task(1, experiment="broken"),
            task(2),
        )
        master.send(
            context("study:evaluate", experiment="absent", bundle="cd" * 32),
            context("study:evaluate", experiment="broken", bundle=damaged),
            context("evaluate"),
            absent,
            broken,
            fine,
        )
        master.wait_for("result", 3)
    ends = master.ends()
    assert "NOT_FOUND" in ends[token_of(absent)].failed.message
    assert "fetch it again" in ends[token_of(broken)].failed.message
    assert ends[token_of(fine)].HasField("succeeded")
    assert {ends[token_of(each)].failed.kind for each in (absent, broken)} == {"infrastructure"}


def test_files_of_an_experiment_go_when_it_has_nothing_to_do(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1, scratch_linger_s=0.5)
        master.wait_for("registration")
        master.send(context("gated"), task(0))
        master.wait_for("started")
        scratch = workers.folder / "files" / "scratch"
        assert list(scratch.glob(f"*/experiments/{EXPERIMENT}"))
        worker.let(0, 1)
        master.wait_for("result")
        ((_, pid, _),) = worker.lines("began")
        # Looked at again at each beat.
        master.wait(lambda: not list(scratch.glob(f"*/experiments/{EXPERIMENT}")))
        assert worker.loses(pid, 60.0), "the child that had loaded it was replaced"
        master.send(task(1))
        master.wait_for("result", 2)
        assert master.results()[1].HasField("succeeded")
