"""Files beside a store: keys, atomic writes, disks that refuse."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from morphml.errors import StorageError, StoreUnavailable
from morphml.ids import AttemptToken, TaskId, new_token
from morphml.storage import LocalArtifacts, StoredFile, artifact_key

TASK = TaskId("experiment-3-0")
TOKEN = AttemptToken("0123456789abcdef" * 2)
CONTENT = [b"a" * 1_000, b"", b"b" * 2_000_000]


@pytest.fixture
def artifacts(tmp_path: Path) -> LocalArtifacts:
    return LocalArtifacts(tmp_path / "files")


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_key_names_task_attempt_and_file_and_hides_the_token() -> None:
    key = artifact_key(TASK, TOKEN, "weights.safetensors")
    task, attempt, name = key.split("/")
    assert (task, name) == (TASK, "weights.safetensors")
    assert attempt not in TOKEN
    assert artifact_key(TASK, new_token(), "weights.safetensors") != key


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "/etc/passwd", "a\\b", ".hidden", "a\n", "ü", "a" * 129, "-rf"],
)
def test_name_that_could_lead_elsewhere_is_refused(artifacts: LocalArtifacts, name: str) -> None:
    with pytest.raises(StorageError, match="letters, digits"):
        artifact_key(TASK, TOKEN, name)
    with pytest.raises(StorageError, match="letters, digits"):
        artifacts.put(f"task/{name}", [b"x"])


def test_name_cannot_have_parts() -> None:
    with pytest.raises(StorageError, match="letters, digits"):
        artifact_key(TASK, TOKEN, "a/b")


def test_stored_file_comes_back_with_its_digest(artifacts: LocalArtifacts, tmp_path: Path) -> None:
    stored = artifacts.put("task/attempt/x.bin", CONTENT)
    whole = b"".join(CONTENT)
    assert stored == StoredFile(
        key="task/attempt/x.bin", digest=hashlib.sha256(whole).hexdigest(), size=len(whole)
    )
    assert b"".join(artifacts.read(stored.key)) == whole
    assert artifacts.path(stored.key).read_bytes() == whole
    artifacts.verify(stored)
    source = tmp_path / "source"
    source.write_bytes(whole)
    assert artifacts.put_file("copy", source).digest == stored.digest
    assert source.exists()
    assert list(artifacts.keys()) == ["copy", "task/attempt/x.bin"]


def test_damaged_and_missing_files_are_named(artifacts: LocalArtifacts) -> None:
    stored = artifacts.put("x", CONTENT)
    artifacts.path("x").write_bytes(b"something else")
    with pytest.raises(StorageError, match="changed or damaged"):
        artifacts.verify(stored)
    assert artifacts.remove("x")
    assert not artifacts.remove("x")
    with pytest.raises(StorageError, match="no such file"):
        artifacts.verify(stored)


def test_failure_in_the_middle_leaves_the_old_file_and_nothing_else(
    artifacts: LocalArtifacts, tmp_path: Path
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError("the worker went away")

    stored = artifacts.put("x", CONTENT)
    with pytest.raises(StorageError, match="refused"):
        artifacts.put("x", broken())
    artifacts.verify(stored)
    assert files(tmp_path / "files") == ["x"]


def test_full_disk_leaves_no_half_file(artifacts: LocalArtifacts, tmp_path: Path) -> None:
    stored = artifacts.put("kept", CONTENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(StoreUnavailable, match=r"disk is full.*free space") as caught:
            artifacts.put("new", CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.retryable
    artifacts.verify(stored)
    assert files(tmp_path / "files") == ["kept"]


def test_killed_writer_leaves_no_file_under_the_key(
    artifacts: LocalArtifacts, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from morphml.storage import LocalArtifacts\n"
        "def slow():\n"
        "    while True:\n"
        "        yield bytes(1000); print('x', flush=True)\n"
        "LocalArtifacts(Path(sys.argv[1])).put('task/x', slow())"
    )
    folder = tmp_path / "files"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        process.kill()
    kept = artifacts.put("task/kept", CONTENT)
    assert list(artifacts.keys()) == ["task/kept"]
    assert len(files(folder)) == 2
    assert artifacts.sweep(["task/kept"]) == 1
    assert files(folder) == ["task/kept"]
    artifacts.verify(kept)


def test_sweep_removes_what_no_row_names(artifacts: LocalArtifacts) -> None:
    for number in range(5):
        artifacts.put(f"task-{number}/x", [b"x"])
    assert artifacts.sweep(["task-1/x", "task-3/x", "never-stored"]) == 3
    assert list(artifacts.keys()) == ["task-1/x", "task-3/x"]
