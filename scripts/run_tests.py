"""Run everything but the unit tests, stage by stage.

Two processes where tests compute. Fault tests mostly wait, for leases to run out and for processes
to come back, so three of them share the machine; each looks at its own processes only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Folder below tests/ and the pytest options it runs with, in this order.
STAGES = (
    ("integration", ["-n", "2", "--dist", "loadfile"]),
    ("acceptance", ["-n", "2", "--dist", "loadfile"]),
    ("faults", ["-n", "3", "--dist", "loadfile"]),
)
#: pytest's exit status for "no tests were collected".
NO_TESTS = 5


def environment() -> dict[str, str]:
    """Ours, but for the wish to keep no bytecode.

    Tests start hundreds of programs, and each would compile the whole package again: two seconds
    for one that otherwise takes one.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    """Run each stage that exists; the first failing status, or 0."""
    failed = 0
    for folder, options in STAGES:
        path = ROOT / "tests" / folder
        if not path.is_dir():
            continue
        command = [sys.executable, "-m", "pytest", "-q", str(path), *options, *sys.argv[1:]]
        status = subprocess.run(  # noqa: S603 own words
            command, cwd=ROOT, env=environment(), check=False
        ).returncode
        if status not in (0, NO_TESTS):
            failed = failed or status
    return failed


if __name__ == "__main__":
    sys.exit(main())
