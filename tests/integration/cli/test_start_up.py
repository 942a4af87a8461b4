"""What a command costs before it begins: nothing heavy is imported for help and completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: What help, version and completion have no need of; each takes from 0.1 s to seconds.
HEAVY = {
    "alembic",
    "cryptography",
    "grpc",
    "matplotlib",
    "morphml.engines",
    "morphml.master",
    "morphml.space",
    "morphml.storage",
    "numpy",
    "psycopg",
    "pydantic",
    "sqlalchemy",
    "torch",
}
TELL = """\
import atexit, sys
atexit.register(lambda: print(*sys.modules, sep="\\n", file=sys.stderr))
"""


def loaded_by(code: str, **environment: str) -> set[str]:
    """Modules that a fresh process has at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{TELL}\n{code}"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = ['morphml', *{arguments}]; from morphml.cli import main; main()"
    loaded = loaded_by(code)
    assert "morphml.cli.app" in loaded
    assert loaded & HEAVY == set()


def test_no_module_of_a_command_imports_anything_heavy() -> None:
    """Completion and help of one command read its module."""
    loaded = loaded_by("from morphml.cli.commands import COMMANDS\nfor e in COMMANDS: e.load()")
    assert "morphml.cli.search" in loaded
    assert loaded & HEAVY == set()


def test_completing_names_imports_no_command() -> None:
    loaded = loaded_by(
        "import sys; sys.argv = ['morphml']; from morphml.cli import main; main()",
        _MORPHML_COMPLETE="complete_bash",
        COMP_WORDS="morphml se",
        COMP_CWORD="1",
    )
    assert "morphml.cli.app" in loaded
    assert not [name for name in loaded if name.startswith("morphml.cli.search")]


@pytest.mark.parametrize("command", ["master --storage a.db", "worker --master a", "certs c"])
def test_a_missing_extra_is_told_with_what_installs_it(command: str, tmp_path: Path) -> None:
    # As when it is not installed, in this process and in one that takes its place.
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "sitecustomize.py").write_text("import sys\nsys.modules['grpc'] = None\n")
    done = subprocess.run(
        [sys.executable, "-m", "morphml.cli", *command.split()],
        env={**os.environ, "PYTHONPATH": str(absent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'morphml[remote]'" in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
