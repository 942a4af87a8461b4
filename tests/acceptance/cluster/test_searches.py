"""The commands for many machines, as an operator types them."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio
import pytest
from tests.acceptance.cluster.commands import (
    EXPERIMENT,
    PATIENCE_S,
    Started,
    make_store,
    mode_of,
    one_screen,
)

from morphml.clock import SystemClock
from morphml.engines.remote.access import Scope, client_access
from morphml.engines.remote.proto import worker_pb2, worker_pb2_grpc

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Started]

#: Every evaluation leaves a line, so that they can be counted.
SCORING = """\
import os


def evaluate(arch, trial):
    with open(os.environ["EVALUATIONS"], "a") as file:
        file.write(f"{trial.number}\\n")
    return {"loss": arch.decisions["x"] ** 2 + arch.decisions["k"]}
"""


# --- the way of a search -------------------------------------------------------------------------


def test_a_search_on_a_master_with_tls_and_a_worker_with_a_copied_token(
    tmp_path: Path, morphml: Run, start: Start
) -> None:
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "scoring.py").write_text(SCORING, encoding="utf-8")
    assert morphml("certs", "certs", "--host", "127.0.0.1").returncode == 0
    tls = ("--tls-cert", "certs/server.pem", "--tls-key", "certs/server.key")
    mutual = ("--tls-client-ca", "certs/ca.pem")
    master = start("master", "--storage", "a.db", "--listen", "127.0.0.1:0", *tls, *mutual)
    address = master.wait_for(r"morphml worker --master (\S+)")[1]
    assert morphml("tokens", "worker.json").returncode == 0
    plain = morphml("worker", "--master", address, "--token-file", "worker.json")
    assert plain.returncode == 2
    assert "speaks TLS and wants a certificate" in plain.stderr
    master.wait_for("127.0.0.1 connected and did not get through TLS")
    own = ("--tls-ca", "certs/ca.pem", "--tls-cert", "certs/client.pem")
    worker = start(
        *("worker", "--master", address, "--token-file", "worker.json", "--slots", "2"),
        *(*own, "--tls-key", "certs/client.key", "--label", "site-a", "--name", "w1"),
    )
    worker.wait_for("connected")

    done = morphml("submit", "experiment.yaml", "--storage", "a.db", "--watch", "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] == {"completed": 12}
    evaluations = (tmp_path / "evaluations").read_text(encoding="utf-8").split()
    assert sorted(map(int, evaluations)) == list(range(12))

    seen = json.loads(morphml("status", "a.db", "--json").stdout)
    assert [each["name"] for each in seen["workers"]] == ["w1"]
    assert seen["workers"][0]["offers"]["site-a"] == 1.0
    assert seen["slots"] == 2
    assert [each["state"] for each in seen["experiments"]] == ["completed"]
    assert "1 master, 1 worker" in morphml("status", "a.db").stdout

    assert worker.stop() == 0, worker.said
    assert master.stop() == 0, master.said
    assert "Traceback" not in worker.said + master.said
    secrets = json.loads((tmp_path / "config/morphml/tokens.json").read_text(encoding="utf-8"))
    assert not [each for each in secrets.values() if each in worker.said + master.said]


def test_a_worker_with_a_strangers_token_leaves_and_says_what_to_copy(
    tmp_path: Path, morphml: Run, start: Start
) -> None:
    master = start("master", "--storage", "a.db", "--listen", "127.0.0.1:0")
    address = master.wait_for(r"morphml worker --master (\S+)")[1]
    assert morphml("tokens", "--token-file", "strangers.json").returncode == 0
    done = morphml("worker", "--master", address, "--token-file", "strangers.json")
    assert done.returncode == 2
    assert "copy the master's token file" in done.stderr
    master.wait_for("refused")
    assert master.said.count("refused") == 1


def test_an_operator_asks_a_worker_for_its_status_and_sends_it_home(
    tmp_path: Path, morphml: Run, start: Start
) -> None:
    """The worker has a copy that holds no secret of an operator, and knows one all the same."""
    master = start("master", "--storage", "a.db", "--listen", "127.0.0.1:0")
    address = master.wait_for(r"morphml worker --master (\S+)")[1]
    assert morphml("tokens", "worker.json").returncode == 0
    own = ("--token-file", "worker.json", "--name", "w1", "--port", "0")
    worker = start("worker", "--master", address, *own)
    port = worker.wait_for(r"operators are answered on port (\d+)")[1]
    worker.wait_for("connected")
    path = tmp_path / "config" / "morphml" / "tokens.json"

    async def ask(scope: Scope) -> tuple[str, bool]:
        access = client_access(token_file=path, scope=scope, tls=None, clock=SystemClock())
        async with access.channel(f"127.0.0.1:{port}") as channel:
            stub = worker_pb2_grpc.WorkerServiceStub(channel)
            status = await stub.GetStatus(worker_pb2.GetStatusRequest(), timeout=PATIENCE_S)
            try:
                await stub.Shutdown(worker_pb2.ShutdownRequest(grace_s=1), timeout=PATIENCE_S)
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.PERMISSION_DENIED
                return status.name, False
            return status.name, True

    assert asyncio.run(ask(Scope.SUBMIT)) == ("w1", False)
    assert worker.process.poll() is None
    assert asyncio.run(ask(Scope.ADMIN)) == ("w1", True)
    assert worker.process.wait(PATIENCE_S) == 0, worker.said


def test_a_port_that_is_taken_is_told(tmp_path: Path, morphml: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = morphml("master", "--storage", "a.db", "--listen", f"127.0.0.1:{port}")
    assert done.returncode != 0
    assert str(port) in one_screen(done)


def test_a_worker_that_is_started_before_the_master_of_its_machine(
    tmp_path: Path, start: Start
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    worker = start("worker", "--master", f"localhost:{port}", "--slots", "1")
    worker.wait_for("is not reached")
    assert mode_of(tmp_path / "config/morphml/tokens.json") == 0o600
    start("master", "--storage", "a.db", "--listen", f"127.0.0.1:{port}")
    worker.wait_for("connected")


def test_who_watches_before_a_master_is_there_sees_it_come(tmp_path: Path, start: Start) -> None:
    """The store lies in the folder that is packed, and keeps its locks."""
    make_store(tmp_path)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "scoring.py").write_text(SCORING, encoding="utf-8")
    watcher = start("submit", "experiment.yaml", "--storage", "a.db", "--watch")
    watcher.wait_for("no master serves this store")
    start("master", "--storage", "a.db", "--listen", "127.0.0.1:0")
    watcher.wait_for("no worker is there")
    assert "UserWarning" not in watcher.said


# --- stopping and going on -----------------------------------------------------------------------


def submitted(tmp_path: Path, typed: Run, *options: str) -> str:
    """The id of an experiment of another folder that was left to the masters of ``a.db``."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "mine" / "scoring.py").write_text(SCORING, encoding="utf-8")
    make_store(tmp_path)
    done = typed("submit", "mine/experiment.yaml", "--storage", "a.db", "--json", *options)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["experiment"])


@pytest.mark.slow
def test_an_experiment_is_stopped_and_left_to_the_masters_again(
    tmp_path: Path, morphml: Run, start: Start
) -> None:
    experiment = submitted(tmp_path, morphml, "--trials", "100000")
    master = start("master", "--storage", "a.db", "--listen", "127.0.0.1:0")
    address = master.wait_for(r"morphml worker --master (\S+)")[1]
    start("worker", "--master", address, "--slots", "1")
    master.wait_for("is here")

    asked = morphml("stop", "a.db", "numbers")
    assert asked.returncode == 0, asked.stderr
    assert f"go on later with: morphml resume a.db {experiment} --masters" in asked.stdout
    master.wait_for(f"experiment {experiment}: ended: stopped on request")
    seen = json.loads(morphml("show", "a.db", "--json").stdout)
    assert (seen["state"], seen["reason"]) == ("paused", "stopped on request")

    again = morphml("resume", "a.db", experiment, "--masters", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["experiment"] == experiment
    master.wait_for(f"(?s)ended: stopped on request.*experiment {experiment} .*driving")
    assert morphml("stop", "a.db", "--json").returncode == 0


def test_stop_pauses_at_once_what_nobody_drives(tmp_path: Path, typed: Run) -> None:
    experiment = submitted(tmp_path, typed)
    document = json.loads(typed("stop", "a.db", "--json").stdout)
    assert document == {
        "storage": "a.db",
        "experiment": experiment,
        "name": "numbers",
        "state": "paused",
        "reason": "stopped on request",
    }
    again = typed("stop", "a.db", experiment)
    assert again.returncode == 0
    assert f"numbers ({experiment}) was paused already" in again.stdout


@pytest.mark.slow
def test_a_search_of_this_machine_is_stopped_too(
    tmp_path: Path, morphml: Run, start: Start
) -> None:
    (tmp_path / "experiment.yaml").write_text(
        EXPERIMENT.replace("trials: 12", "trials: 100000"), encoding="utf-8"
    )
    (tmp_path / "scoring.py").write_text(SCORING, encoding="utf-8")
    search = start("search", "experiment.yaml", "--storage", "a.db", "--workers", "1")
    search.wait_for("[1-9][0-9]*/100000 trials")
    done = morphml("stop", "a.db")
    assert done.returncode == 0, done.stderr
    assert re.search(r"was asked to stop; go on later with: morphml resume a.db \w+$", done.stdout)
    assert search.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("stop", "a.db", "digits"), 2, "no experiment 'digits'"),
        (("stop", "absent.db"), 3, "absent.db"),
        (("resume", "a.db", "--masters", "--workers", "2"), 2, "give one of them"),
    ],
)
def test_what_cannot_be_stopped_or_left_to_masters_is_told(
    tmp_path: Path, typed: Run, arguments: tuple[str, ...], status: int, words: str
) -> None:
    submitted(tmp_path, typed)
    done = typed(*arguments)
    assert done.returncode == status
    assert words in one_screen(done)
    assert not (tmp_path / "absent.db").exists()
