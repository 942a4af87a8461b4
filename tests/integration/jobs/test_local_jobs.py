"""Attempts at jobs in local child processes: outputs, files, limits, cancel, what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from morphml.engines import (
    Cancelled,
    Failed,
    JobCall,
    LocalEngine,
    Logged,
    Order,
    Outcome,
    Started,
    Succeeded,
    execution_context,
)
from morphml.engines.port import OUTPUTS_LIMIT
from morphml.ids import digest
from morphml.jobs import Artifact, ArtifactFolder
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import FailureKind
from morphml.testing.engine_probe import EXPERIMENT, EngineProbe


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(1) as engine:
        yield engine


@pytest.fixture
def probe(engine: LocalEngine, tmp_path: Path) -> EngineProbe:
    engine.prepare(EXPERIMENT, execution_context(tmp_path / "execution"))
    return EngineProbe(engine)


def job(type: str, name: str = "job", **config: JSON) -> dict[str, object]:
    return {"job": JobCall(job=name, type=type, config=config), "vector": ()}


def output(probe: EngineProbe, type: str, **config: JSON) -> Mapping[str, JSON]:
    outcome = probe.run(**job(type, **config))
    assert isinstance(outcome, Succeeded), outcome
    return outcome.outputs


def failure(outcome: Outcome, words: str, kind: FailureKind = FailureKind.USER_ERROR) -> Failed:
    assert isinstance(outcome, Failed), outcome
    assert words in outcome.message
    assert outcome.kind is kind
    return outcome


def printed(probe: EngineProbe, stream: str) -> str:
    return "".join(event.text for event in probe.of(Logged) if event.stream == stream)


def test_function_puts_out_values_and_files_for_later_jobs(
    probe: EngineProbe, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    outputs = output(probe, "python", function="job_functions:prepare", count=7, ran=str(ran))
    token = probe.tokens[0]
    assert ran.read_text() == f"job {digest(token.encode())}\n"
    artifact = Artifact.of(outputs["data"])
    assert artifact is not None
    assert (outputs["rows"], outputs["sizes"], artifact.name) == (7, [1, 2], "data.txt")
    assert ArtifactFolder(tmp_path / "execution").path(artifact).read_text() == "x" * 7
    assert printed(probe, "stdout") == "prepared 7\n"
    assert printed(probe, "log") == f"in {EXPERIMENT}\n"
    assert len(probe.of(Started)) == 1
    later = output(probe, "python", function="job_functions:length", data=outputs["data"])
    assert later == {"length": 7}
    left = {each.name for each in (tmp_path / "execution").iterdir()}
    assert left == {"artifacts"}, "the folder of an attempt goes with it"


_PROGRAM = """
import json, os, pathlib, sys
given = json.loads(pathlib.Path(os.environ["MORPHML_INPUTS"]).read_text())
print("hello", given["who"], sys.argv[1:])
print("careful", file=sys.stderr)
folder = pathlib.Path(os.environ["MORPHML_FOLDER"])
(folder / "model.bin").write_bytes(b"weights")
told = {"attempt": os.environ["MORPHML_ATTEMPT_ID"], "job": os.environ["MORPHML_JOB_ID"]}
pathlib.Path(os.environ["MORPHML_OUTPUTS"]).write_text(json.dumps(told))
sys.exit(int(os.environ["CODE"]))
"""


def test_program_gets_its_inputs_and_puts_out_what_it_wrote_and_printed(probe: EngineProbe) -> None:
    outputs = output(
        probe,
        "shell",
        command=[sys.executable, "-c", _PROGRAM, "$HOME; ls", 3],
        inputs={"who": "you"},
        env={"CODE": "2"},
        artifacts={"model": "model.bin"},
        exitCodes=[0, 2],
    )
    artifact = Artifact.of(outputs["model"])
    assert artifact is not None
    assert (artifact.name, artifact.size) == ("model.bin", 7)
    assert outputs["attempt"] == digest(probe.tokens[0].encode())
    assert (outputs["job"], outputs["exitCode"]) == ("job", 2)
    assert outputs["stdout"] == "hello you ['$HOME; ls', '3']\n", "no shell reads the arguments"
    assert (printed(probe, "stdout"), printed(probe, "stderr")) == (outputs["stdout"], "careful\n")


def test_program_that_ends_badly_fails_its_attempt(probe: EngineProbe) -> None:
    program = "import sys; print('on my way'); sys.exit(3)"
    failed = failure(
        probe.run(**job("shell", command=[sys.executable, "-c", program])), "exit code 3"
    )
    assert "on my way" in failed.message
    assert failed.error_type == "ProgramFailed"


@pytest.mark.parametrize(
    ("type", "config", "words"),
    [
        ("shell", {"command": "ls -l; rm x"}, "no shell is used"),
        ("shell", {"command": ["ls"], "shell": True}, "['shell']"),
        ("shell", {"command": [sys.executable, "-c", ""], "artifacts": {"a": "../x"}}, "'../x'"),
        ("python", {"function": "job_functions"}, "package.module:name"),
        ("python", {"function": "no_such_module:x"}, "no_such_module"),
        ("python", {"function": "job_functions:length"}, "does not fit"),
        ("python", {"function": "job_functions:large", "size": OUTPUTS_LIMIT}, "artifact"),
        ("python", {"function": "job_functions:odd", "kind": "nan"}, "value: nan"),
        ("python", {"function": "job_functions:odd", "kind": ""}, "Path of a file"),
        ("preprocessing", {"rows": 3}, "no 'function'"),
        ("search", {}, "no job of type 'search'"),
        ("no-such", {}, "no job of type 'no-such'"),
    ],
)
def test_mistake_in_a_job_fails_it_and_is_told(
    probe: EngineProbe, type: str, config: Mapping[str, JSON], words: str
) -> None:
    failure(probe.run(**job(type, **config)), words)


def test_preprocessing_without_a_function_succeeds_and_says_that_it_did_nothing(
    probe: EngineProbe,
) -> None:
    assert output(probe, "preprocessing") == {}
    assert "nothing to do" in printed(probe, "log")


def test_exception_of_a_function_is_the_users_with_its_traceback(probe: EngineProbe) -> None:
    failed = failure(probe.run(**job("python", function="job_functions:broken")), "cannot work")
    assert failed.error_type == "ValueError"
    assert "job_functions.py" in failed.traceback
    assert "morphml" not in failed.traceback


def test_time_limit_and_cancel_end_a_function_and_a_program(
    probe: EngineProbe, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    ran.touch()  # on a busy machine its time may be over before it writes
    lingering = job("python", function="job_functions:linger", ran=str(ran))
    failure(probe.run(**lingering, time_limit_s=0.5), "0.5 s", FailureKind.TIME_LIMIT)
    assert len(ran.read_text().splitlines()) <= 1, "nobody tries again"
    program = f"import time, os; open({str(ran)!r}, 'a').write('x'); time.sleep(60)"
    token = probe.submit(**job("shell", command=[sys.executable, "-c", program]))
    probe.pump(lambda: ran.read_text().endswith("x"))
    probe.engine.order(token, Order.CANCEL)
    probe.finish()
    assert probe.finished(token).outcome == Cancelled()


def test_memory_limit_ends_a_function(probe: EngineProbe, tmp_path: Path) -> None:
    hungry = job("python", function="job_functions:hungry", ran=str(tmp_path / "ran"))
    outcome = probe.run(**hungry, memory_limit_bytes=300 << 20)
    failure(outcome, "300 MiB", FailureKind.OUT_OF_MEMORY)


def test_trial_of_an_execution_fails_and_breaks_nothing(probe: EngineProbe) -> None:
    assert isinstance(probe.run(0.5), Failed)
    assert output(probe, "preprocessing") == {}
