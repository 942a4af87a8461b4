from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

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


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command with buf at hand, and without the settings of whoever runs the tests."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={
            "BUF": str(Path(sys.executable).parent / "buf"),
            "PATH": "/usr/bin:/bin",
            "HOME": "/nowhere",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_protocol_passes_the_check_of_this_checkout() -> None:
    done = run("bash", "scripts/check_protos.sh", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lint passed" in done.stdout


def test_protocol_that_a_release_would_not_understand_is_refused(tmp_path: Path) -> None:
    proto = Path("src/morphml/engines/remote/proto/worker.proto")
    (tmp_path / proto).parent.mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    for name in ("buf.yaml", "scripts/check_protos.sh", proto):
        shutil.copy(ROOT / name, tmp_path / name)

    def check() -> subprocess.CompletedProcess[str]:
        return run("bash", "scripts/check_protos.sh", cwd=tmp_path)

    def git(*words: str) -> None:
        assert run("git", *words, cwd=tmp_path).returncode == 0

    me = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git("init", "-q", ".")
    git("add", ".")
    git(*me, "commit", "-q", "-m", "first")
    assert "no release has the protocol yet" in check().stdout
    git(*me, "tag", "v0.1.0")
    text = (tmp_path / proto).read_text()
    (tmp_path / proto).write_text(text.replace("  string token = 1;", "  string token = 99;", 1))
    refused = check()
    assert refused.returncode != 0
    assert 'Previously present field "1" with name "token"' in refused.stdout
    (tmp_path / proto).write_text(text)
    allowed = check()
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert "nothing that v0.1.0 understands was broken" in allowed.stdout
