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


def test_protocol_passes_its_linter() -> None:
    buf = shutil.which("buf") or ROOT / "node_modules" / ".bin" / "buf"
    if not Path(buf).exists():
        pytest.skip("buf is not installed; scripts/check_protos.sh fetches it with npm")
    done = subprocess.run([buf, "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
