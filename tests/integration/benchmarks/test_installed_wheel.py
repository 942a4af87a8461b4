"""The package's own table travels in the wheel: an installed MorphML has it without a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILT = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
#: Runs where only the wheel's files are MorphML.
USED = """
import morphml.benchmarks as b
from morphml.benchmarks.digits_cells import shipped
problem = b.digits_cells()
run = b.play(problem, b.key_of(problem, "local_search", 0, 20))
print(shipped(), problem.curves.epochs, run.evaluations, b.__file__, sep="\\n")
"""


def test_wheel_brings_the_table_and_a_search_of_it_runs(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "src" / "morphml", tree / "src" / "morphml")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    build = [sys.executable, "-c", BUILT, str(tmp_path)]
    subprocess.run(build, cwd=tree, check=True, capture_output=True, timeout=200)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as files:
        files.extractall(site)
    shutil.rmtree(tree)
    done = subprocess.run(
        [sys.executable, "-P", "-c", USED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        check=True,
        text=True,
        timeout=100,
    )
    where, epochs, evaluations, module = done.stdout.split()
    assert Path(where) == site / "morphml" / "benchmarks" / "data" / "digits_cells.npz"
    assert (epochs, evaluations) == ("12", "20")
    assert Path(module).is_relative_to(site)
