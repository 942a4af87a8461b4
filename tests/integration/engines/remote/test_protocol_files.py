from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


def test_generated_stubs_are_those_of_the_protocol(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "compile_protos.sh", tmp_path],
        cwd=ROOT,
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*_pb2*"))
    assert len(made) == 3
    stale = [
        str(path)
        for path in made
        if (tmp_path / path).read_bytes() != (ROOT / "src" / path).read_bytes()
    ]
    assert stale == [], "run scripts/compile_protos.sh"


@pytest.fixture
def buf() -> Path:
    found = Path(shutil.which("buf") or ROOT / "node_modules" / ".bin" / "buf")
    if not found.exists():
        pytest.skip("buf is not installed; scripts/check_protos.sh fetches it with npm")
    return found


def test_protocol_passes_its_linter(buf: Path) -> None:
    done = subprocess.run([buf, "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_protocol_that_a_release_would_not_understand_is_refused(buf: Path, tmp_path: Path) -> None:
    proto = Path("src/morphml/engines/remote/proto/worker.proto")
    (tmp_path / proto).parent.mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    for name in ("buf.yaml", "scripts/check_protos.sh", proto):
        shutil.copy(ROOT / name, tmp_path / name)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        path = f"{buf.parent}:/usr/bin:/bin"
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={"PATH": path, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    def check() -> subprocess.CompletedProcess[str]:
        return run("bash", "scripts/check_protos.sh")

    me = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    assert run("git", "init", "-q", ".").returncode == 0
    assert run("git", "add", ".").returncode == 0
    assert run("git", *me, "commit", "-q", "-m", "first").returncode == 0
    assert "no release has the protocol yet" in check().stdout
    assert run("git", *me, "tag", "v0.1.0").returncode == 0
    text = (tmp_path / proto).read_text()
    (tmp_path / proto).write_text(text.replace("  string token = 1;", "  string token = 99;", 1))
    refused = check()
    assert refused.returncode != 0
    assert 'Previously present field "1" with name "token"' in refused.stdout
    (tmp_path / proto).write_text(text)
    allowed = check()
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert "nothing that v0.1.0 understands was broken" in allowed.stdout
