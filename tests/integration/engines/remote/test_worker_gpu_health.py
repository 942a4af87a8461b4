"""What the driver says of GPUs, read through the real package; its library is a stand-in in C."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import KeptRecords
from tests.integration.engines.remote.test_worker_with_hub import EXPERIMENT, message, serving
from tests.integration.engines.remote.worker_processes import Workers

HERE = Path(__file__).resolve().parent
GIB = 1 << 30
LOOK = """
import json, sys
from morphml.engines.remote.worker.gpus import Gpus
gpus = Gpus(("0", "1"))
print(json.dumps([[c.model, c.memory] for c in gpus.cards()]), flush=True)
for _ in sys.stdin:
    found = [[g.percent, g.memory_percent, g.temperature_c, g.errors] for g in gpus.figures()]
    print(json.dumps(found), flush=True)
gpus.close()
"""


class Driver:
    """GPUs whose state is written into a file."""

    def __init__(self, state: Path) -> None:
        self.path = state
        self.set()

    def set(self, **of_second: int) -> None:
        """What the second GPU shows; the first is well."""
        shown = {"temperature": 50, "errors": 0, "lost": 0, "xid": 0} | of_second
        lines = [f"40 10 {GIB} {8 * GIB} 0 0 0"]
        order = (shown["temperature"], 90, 4 * GIB, 8 * GIB)
        lines.append(" ".join(map(str, (*order, shown["errors"], shown["lost"], shown["xid"]))))
        written = self.path.with_suffix(".new")
        written.write_text("\n".join(lines) + "\n", encoding="ascii")
        written.replace(self.path)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path / "driver" / "libnvidia-ml.so.1"
    library.parent.mkdir()
    source = str(HERE / "nvml_driver.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), source], check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library.parent))
    monkeypatch.setenv("NVML_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return Driver(tmp_path / "state")


def test_figures_are_those_of_the_driver_and_a_lost_gpu_is_an_error(driver: Driver) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LOOK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin
    assert process.stdout

    def second() -> Sequence[float]:
        process.stdin.write("\n")
        process.stdin.flush()
        first, found = json.loads(process.stdout.readline())
        assert first == [10.0, 12.5, 40.0, 0]
        return found

    with process:
        cards = json.loads(process.stdout.readline())
        assert cards == [["NVIDIA Test 0", 8 * GIB], ["NVIDIA Test 1", 8 * GIB]]
        assert second() == [90.0, 50.0, 50.0, 0]
        driver.set(errors=3, temperature=95)
        assert second() == [90.0, 50.0, 95.0, 3]
        driver.set(xid=31)  # a bug of the program that ran
        assert second() == [90.0, 50.0, 50.0, 0]
        driver.set(xid=79)
        assert second() == [90.0, 50.0, 50.0, 1]
        driver.set(lost=1, xid=79)
        assert second() == [0.0, 0.0, 0.0, 1]
        process.stdin.close()
    assert process.returncode == 0


def test_worker_gives_nobody_a_gpu_with_errors_and_goes_on_with_the_other(
    driver: Driver, tmp_path: Path, workers: Workers
) -> None:
    records = KeptRecords(tmp_path / "artifacts")
    records.contexts[EXPERIMENT] = message("remote_evaluators:seeing")
    with serving(records) as master:
        worker = workers.start(
            master.hub.port, slots=2, devices=["cuda:0", "cuda:1"], figures_s=0.1
        )
        master.pump(lambda: master.hub.slots() == 2)
        (view,) = master.hub.workers()
        assert view.capabilities["gpu:1:nvidia-test-1"] == 8 * GIB
        driver.set(lost=1)
        master.pump(lambda: bool(master.hub.workers()[0].shut_gpus))
        (view,) = master.hub.workers()
        assert [str(gpu) for gpu in view.shut_gpus] == ["GPU 1 gets no work: it has 1 errors"]
        assert (master.hub.slots(), view.barred) == (1, "")
        master.finish(*(master.submit(n, 0.01, requirements={"gpu": 1.0}) for n in range(6)))
        assert len(worker.lines("began-0-cuda:0")) == 6
        driver.set()
        master.pump(lambda: not master.hub.workers()[0].shut_gpus)
        assert master.hub.slots() == 2
