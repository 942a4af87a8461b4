"""``shell``: runs a program with a list of arguments. No shell reads them, ever.

Config: ``command`` (a list of texts, numbers and files of earlier jobs), ``inputs`` (any values),
``env`` (texts by name), ``artifacts`` (name of an output to a file below the job's folder) and
``exitCodes`` (which count as success; 0).

The program finds in its environment ``MORPHML_ATTEMPT_ID``, ``MORPHML_JOB_ID`` and
``MORPHML_EXECUTION_ID``, its own empty folder ``MORPHML_FOLDER``, a JSON file ``MORPHML_INPUTS``
with ``inputs`` (files of earlier jobs as paths), and the name ``MORPHML_OUTPUTS`` of a JSON file
that it may write. Outputs are what stands there, the files of ``artifacts``, ``exitCode``, and the
end of what it printed as ``stdout``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import orjson

from morphml.errors import MorphError, WorkflowError
from morphml.jobs.artifacts import Artifact
from morphml.jobs.contract import JobRun
from morphml.optimizers.events import JSON

#: Characters of the end of stdout that are put out.
TAIL = 8_000
_KEYS = frozenset({"command", "inputs", "env", "artifacts", "exitCodes"})
_READ = 1 << 16
#: Seconds between SIGTERM and SIGKILL for a program that is to end early.
_GRACE_S = 1.0
#: The most bytes of the file of outputs that are read.
_MOST_OUTPUTS = 1 << 20


class ProgramFailed(MorphError):
    """A program ended with an exit code that does not count as success."""


def run(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, object]:
    """Run the program to its end.

    Raises:
        WorkflowError: when the config has another form, or a promised file is not there.
        ProgramFailed: when its exit code is none of ``exitCodes``.
        OSError: when it cannot be started.
        BaseException: what ends the attempt; the program is ended first.
    """
    command = _command(config, run)
    good = config.get("exitCodes", [0])
    if not isinstance(good, Sequence) or not all(isinstance(code, int) for code in good):
        raise WorkflowError(f"job {run.job}: exitCodes: expected whole numbers, got {good!r}")
    outputs = run.folder / "outputs.json"
    code, tail = _run(command, _environment(config, run, outputs))
    if code not in good:
        last = f"; it printed last: {tail.strip()[-500:]}" if tail.strip() else ""
        raise ProgramFailed(f"{command[0]} ended with {_said(code)}{last}")
    return {**_written(outputs, run), **_files(config, run), "exitCode": code, "stdout": tail}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code, and the end of what it printed; all of it goes to the log."""
    tail = bytearray()
    with subprocess.Popen(  # noqa: S603  # a list of arguments; no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment
    ) as program:
        assert program.stdout is not None
        try:
            while data := os.read(program.stdout.fileno(), _READ):
                sys.stdout.write(data.decode("utf-8", "replace"))
                tail += data
                del tail[: -4 * TAIL]
            code = program.wait()
        except BaseException:
            _end(program)
            raise
    return code, tail.decode("utf-8", "replace")[-TAIL:]


def _end(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(_GRACE_S)
    program.kill()


def _command(config: Mapping[str, JSON], run: JobRun) -> list[str]:
    if unknown := config.keys() - _KEYS:
        raise WorkflowError(
            f"job {run.job}: the config has {sorted(unknown)}; a shell job knows {sorted(_KEYS)}"
        )
    given = config.get("command")
    if not isinstance(given, list) or not given:
        raise WorkflowError(
            f"job {run.job}: command: expected a list of arguments, such as ['ls', '-l'], got "
            f"{given!r}; a text would be read by a shell, and no shell is used"
        )
    return [_argument(each, run) for each in given]


def _argument(value: JSON, run: JobRun) -> str:
    artifact = Artifact.of(value)
    if artifact is not None:
        return str(run.artifacts.path(artifact))
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise WorkflowError(
        f"job {run.job}: command: an argument is a text, a number or a file, got {value!r}"
    )


def _environment(config: Mapping[str, JSON], run: JobRun, outputs: Path) -> dict[str, str]:
    inputs = run.folder / "inputs.json"
    inputs.write_bytes(orjson.dumps(_with_paths(config.get("inputs", {}), run)))
    return {
        **os.environ,
        **_texts(config.get("env", {}), "env", run),
        "MORPHML_ATTEMPT_ID": run.attempt_id,
        "MORPHML_EXECUTION_ID": run.execution,
        "MORPHML_JOB_ID": run.job,
        "MORPHML_FOLDER": str(run.folder),
        "MORPHML_INPUTS": str(inputs),
        "MORPHML_OUTPUTS": str(outputs),
    }


def _with_paths(value: JSON, run: JobRun) -> JSON:
    artifact = Artifact.of(value)
    if artifact is not None:
        return str(run.artifacts.path(artifact))
    if isinstance(value, Mapping):
        return {name: _with_paths(each, run) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_paths(each, run) for each in value]
    return value


def _texts(value: JSON, name: str, run: JobRun) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise WorkflowError(f"job {run.job}: {name}: expected texts by name, got {value!r}")
    return cast("Mapping[str, str]", value)


def _written(path: Path, run: JobRun) -> Mapping[str, object]:
    """What the program wrote to be put out."""
    if not path.exists():
        return {}
    if path.stat().st_size > _MOST_OUTPUTS:
        raise WorkflowError(f"job {run.job}: MORPHML_OUTPUTS holds more than {_MOST_OUTPUTS} bytes")
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise WorkflowError(f"job {run.job}: MORPHML_OUTPUTS holds no JSON: {error}") from None
    if not isinstance(found, dict):
        raise WorkflowError(f"job {run.job}: MORPHML_OUTPUTS holds no JSON object")
    return found


def _files(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, Path]:
    """The files that are put out, which lie below the job's folder."""
    files = {}
    for name, value in _texts(config.get("artifacts", {}), "artifacts", run).items():
        path = (run.folder / value).resolve()
        if not path.is_relative_to(run.folder.resolve()) or not path.is_file():
            raise WorkflowError(
                f"job {run.job}: artifacts: there is no file {value!r} below MORPHML_FOLDER"
            )
        files[name] = path
    return files


def _said(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
