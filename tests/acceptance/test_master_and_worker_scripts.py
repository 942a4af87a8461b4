"""The two scripts of the design, as a person writes them, on one machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

MASTER = """
import morphml as mm
from morphml import GeneticAlgorithm, MasterNode
from morphml import layers as L

if __name__ == "__main__":
    space = mm.SearchSpace(
        input=(1, 8, 8),
        layers=[L.flatten(), L.dense(units=mm.choice(8, 16, 32, 64)), L.relu(), L.output(10)],
        hyper={"lr": mm.real(1e-3, 1e-1, log=True)},
    )
    optimizer = GeneticAlgorithm(space, population_size=12)
    master = MasterNode(optimizer, {"port": PORT, "num_workers": 2}); master.start()
    best = master.run_experiment(num_generations=2, max_epochs=2)
    print(best.number, best.metrics["accuracy"])
    master.stop()
"""
WORKER = """
from morphml import WorkerNode

if __name__ == "__main__":
    worker = WorkerNode({"master_host": "localhost", "master_port": PORT}); worker.start()
"""


def free_port() -> int:
    """One that nobody is given who asks for any, until the master listens seconds later."""
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        try:
            socket.create_server(("", port)).close()
        except OSError:
            continue
        return port
    raise OSError("no free port below those that are given to who asks for any")


def start(folder: Path, name: str, text: str, port: int) -> subprocess.Popen[str]:
    script = folder / name
    script.write_text(text.replace("PORT", str(port)), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_master_script_searches_on_the_workers_of_worker_scripts(tmp_path: Path) -> None:
    port = free_port()
    master = start(tmp_path, "master.py", MASTER, port)
    workers = [start(tmp_path, f"worker{i}.py", WORKER, port) for i in range(2)]
    try:
        said, _ = master.communicate(timeout=300)
        assert master.returncode == 0, said
        number, accuracy = said.splitlines()[-1].split()
        assert 0 <= int(number) < 24
        assert 0.2 < float(accuracy) <= 1.0
    finally:
        for process in (master, *workers):
            process.send_signal(signal.SIGTERM)
        ends = [process.communicate(timeout=100)[0] for process in workers]
    assert [process.returncode for process in workers] == [0, 0], ends
