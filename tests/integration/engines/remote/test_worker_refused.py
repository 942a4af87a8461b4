"""Masters that a worker may not join, and how it tells its operator."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from tests.integration.engines.remote.access_servers import guarded
from tests.integration.engines.remote.scripted_master import ScriptedMaster
from tests.integration.engines.remote.worker_processes import Workers

from morphml.clock import SystemClock
from morphml.engines.devices import gpus as found_gpus
from morphml.engines.devices import visible
from morphml.engines.machine import has_ssd
from morphml.engines.nvml import GpuCard
from morphml.engines.remote.access import ClientAccess
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings
from morphml.engines.remote.worker.capabilities import capabilities
from morphml.engines.remote.worker.gpus import Gpus
from morphml.scheduling.resources import Capacity, Gpu


def test_worker_that_every_master_refuses_ends_with_the_reason(workers: Workers) -> None:
    with ScriptedMaster() as first, ScriptedMaster() as second:
        first.refusal = "MorphML 0.1 is too old for this master"
        second.refusal = "this one neither"
        worker = workers.start(first.port, second.port)
        assert worker.wait() == 2
    said = worker.said()
    assert said.count("no master takes this worker") == 1
    assert "MorphML 0.1 is too old for this master; this one neither" in said


def test_worker_that_one_master_refuses_works_for_another(workers: Workers) -> None:
    with ScriptedMaster() as first, ScriptedMaster() as second:
        first.refusal = "too old"
        workers.start(first.port, second.port)
        second.wait_for("beat", 2)
        assert len(first.of("registration")) == 1


def test_worker_keeps_trying_while_a_master_that_may_take_it_is_away(workers: Workers) -> None:
    with ScriptedMaster() as placeholder:
        port = placeholder.port
    with ScriptedMaster() as refusing:
        refusing.refusal = "too old"
        worker = workers.start(refusing.port, port)
        refusing.wait_for("registration", 3)
        assert worker.process.poll() is None
        with ScriptedMaster(port) as other:
            other.wait_for("beat")


def test_worker_without_the_token_is_refused_and_told_what_to_do(
    workers: Workers, tmp_path: Path
) -> None:
    with ScriptedMaster(access=guarded(tmp_path / "tokens.json")) as master:
        worker = workers.start(master.port)
        assert worker.wait() == 2
        assert not master.of("registration")
    assert "token" in worker.said().lower()


def test_all_addresses_of_a_name_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service name of several masters, of which one is down."""
    ask = socket.getaddrinfo

    def names(host: str, port: int, *rest: object, **more: object) -> object:
        if host == "masters.example":
            return [*ask("127.0.0.9", port, type=1), *ask("127.0.0.1", port, type=1)]
        return ask(host, port, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", names)
    with ScriptedMaster() as master:
        settings = WorkerSettings(
            masters=(f"masters.example:{master.port}",), slots=1, folder=tmp_path
        )
        worker = RemoteWorker(settings, ClientAccess(), SystemClock())
        codes: list[int] = []
        life = threading.Thread(target=lambda: codes.append(worker.run()))
        life.start()
        master.wait_for("beat", 2)
        assert worker.master == f"127.0.0.1:{master.port}"
        worker.drain("the test is over")
        life.join(90)
    assert codes == [0]
    assert master.of("leaving")


def test_capabilities_of_this_machine_are_found(tmp_path: Path) -> None:
    settings = WorkerSettings(
        masters=("a",),
        slots=1,
        folder=tmp_path,
        labels=("site-a",),
        capabilities={"cpu": 3.0},
        devices=("cuda:0", "cuda:1"),
    )
    found = capabilities(settings, [GpuCard(model="NVIDIA H200", memory=141 << 30)])
    assert found["cpu"] == 3.0, "what the operator says wins"
    assert found["site-a"] == 1.0
    assert Capacity.parse(found).gpus == (
        Gpu(index=0, model="nvidia-h200", memory=141 << 30),
        Gpu(index=1),
    )
    assert 0 < found["memory"] <= psutil.virtual_memory().total
    assert ("high-memory" in found) == (found["memory"] >= 64 << 30)
    assert 0 < found["disk"] < 1 << 60
    plain = WorkerSettings(masters=("a",), slots=1, folder=tmp_path / "not" / "there")
    assert capabilities(plain, [])["cpu"] == len(os.sched_getaffinity(0))
    assert "gpu" not in capabilities(plain, [])


def test_disks_are_told_apart(tmp_path: Path) -> None:
    for name, turns in (("sda", "1"), ("loop0", "0")):
        (tmp_path / name / "queue").mkdir(parents=True)
        (tmp_path / name / "queue" / "rotational").write_text(f"{turns}\n")
    assert not has_ssd(tmp_path)
    (tmp_path / "nvme0n1" / "queue").mkdir(parents=True)
    (tmp_path / "nvme0n1" / "queue" / "rotational").write_text("0\n")
    assert has_ssd(tmp_path)
    assert not has_ssd(tmp_path / "nowhere")


def test_gpus_are_as_many_as_the_driver_says() -> None:
    gpus = Gpus(visible(found_gpus()))
    cards = gpus.cards()
    assert len(gpus.figures()) == len(cards)
    assert all(card.memory > 1 << 30 for card in cards)
    gpus.close()
    assert gpus.cards() == []


def test_registration_and_beats_tell_what_the_machine_is_and_does(workers: Workers) -> None:
    with ScriptedMaster() as master:
        workers.start(master.port, slots=3, labels=["lab"], figures_s=0.1)
        master.wait_for("beat", 5)
    registration = master.of("registration")[0].registration
    assert (registration.slots, registration.name, registration.protocol) == (3, "w0", 1)
    assert registration.capabilities["lab"] == 1.0
    assert registration.python_version == ".".join(map(str, sys.version_info[:3]))
    beats = [event.beat for event in master.of("beat")]
    assert [beat.index for beat in beats] == list(range(1, len(beats) + 1))
    assert all(0 < beat.figures.memory_percent <= 100 for beat in beats)
    assert any(beat.figures.cpu_percent > 0 for beat in beats)


def test_importing_the_worker_imports_no_torch() -> None:
    code = "import sys, morphml.engines.remote.worker; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout.decode().strip().lower()) is False
