"""Run everything but the unit tests, stage by stage.

Most of these tests wait: for leases to run out, for processes to start or to come back. So more of
them run at once than there are cores, and whoever is done takes over tests of the others, so that
none of them works alone at the end. A fault test waits for what it broke to be noticed in time, and
has fewer beside it; the tests of a file stay together, as they share a cluster.

`--soak` runs the tests with the mark `soak` instead, which are left out otherwise. Other words go
to pytest: `--cpu 40` lists the forty tests that cost most processor time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Folders below tests/ and the pytest options they run with, in this order.
STAGES = (
    (("integration", "acceptance"), ["-n", "4", "--dist", "worksteal"]),
    (("faults",), ["-n", "3", "--dist", "loadfile"]),
)
#: One after another on each of two cores, an hour for each.
SOAK = (((".",), ["-m", "soak", "-n", "2", "--dist", "load", "--timeout", "3600"]),)
#: pytest's exit status for "no tests were collected".
NO_TESTS = 5


def environment() -> dict[str, str]:
    """Ours, but for the wish to keep no bytecode.

    Tests start hundreds of programs, and each would compile the whole package again: two seconds
    for one that otherwise takes one.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    """Run each stage; the first failing status, or 0."""
    words = sys.argv[1:]
    stages = SOAK if "--soak" in words else STAGES
    words = [word for word in words if word != "--soak"]
    failed = 0
    for folders, options in stages:
        paths = [str(ROOT / "tests" / folder) for folder in folders]
        command = [sys.executable, "-m", "pytest", "-q", *paths, *options, *words]
        status = subprocess.run(  # noqa: S603 own words
            command, cwd=ROOT, env=environment(), check=False
        ).returncode
        if status not in (0, NO_TESTS):
            failed = failed or status
    return failed


if __name__ == "__main__":
    sys.exit(main())
