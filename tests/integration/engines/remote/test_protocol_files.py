from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_generated_stubs_are_those_of_the_protocol(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run(
        [root / "scripts" / "compile_protos.sh", tmp_path],
        cwd=root,
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
        if (tmp_path / path).read_bytes() != (root / "src" / path).read_bytes()
    ]
    assert stale == [], "run scripts/compile_protos.sh"
