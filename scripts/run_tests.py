"""Run everything but the unit tests: what waits and what computes beside each other.

Most tests wait: for leases to run out, for processes to start or to come back. So more of them run
at once than there are cores, and whoever is done takes over tests of the others, so that none of
them works alone at the end. A fault test waits for what it broke to be noticed in time; those of
a file stay together, as they share servers. What only computes takes the cores that these leave, at
a lower priority, so that nobody who waits is kept waiting by it.

`--slow` runs the tests with the mark `slow` instead, which CI adds, and `--soak` those with the
mark `soak`, which are left out there too; it draws thousands of examples for the tests of
properties. Other words go to pytest: `--cpu 40` lists the forty tests that cost most processor
time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What starts few processes and judges nothing by a clock, below tests/.
COMPUTING = (
    *(f"integration/{each}" for each in ("bundle", "graph", "nn", "optimizers", "scheduling")),
    *(f"integration/{each}" for each in ("space", "training", "visualization")),
    "integration/testing/test_scenarios.py",
    "integration/testing/test_any_misfortune.py",
)
#: pytest's exit status for "no tests were collected".
NO_TESTS = 5


@dataclass(frozen=True)
class Stage:
    """One call of pytest."""

    paths: tuple[str, ...]
    options: tuple[str, ...]
    #: Below tests/, not to be run although a path holds it.
    but: tuple[str, ...] = ()
    #: How far others go first, from 0 to 19.
    nice: int = 0

    def run(self, words: list[str], said: int | None = None) -> int:
        """Its exit status; what it says goes to the file ``said``, where one is given."""
        command = [
            *(sys.executable, "-m", "pytest", "-q"),
            *(str(ROOT / "tests" / path) for path in self.paths),
            *(f"--ignore={ROOT / 'tests' / path}" for path in self.but),
            *self.options,
            *words,
        ]
        process = subprocess.Popen(  # noqa: S603 own words
            command, cwd=ROOT, env=environment(), stdout=said, stderr=said
        )
        os.setpriority(os.PRIO_PROCESS, process.pid, self.nice)
        status = process.wait()
        return 0 if status == NO_TESTS else status


def fault_tests() -> list[str]:
    """Folders of fault tests below tests/; the ones with the longest files first."""
    faults = ROOT / "tests" / "faults"
    names = {path.relative_to(faults).parts[0] for path in faults.rglob("test_*.py")}
    longest = ("master", "ray", "storage")
    return [f"faults/{name}" for name in sorted(names, key=lambda n: (n not in longest, n))]


#: Beside fault tests the cores have what computes; beside the others nothing, so that more wait.
WAITING = (
    Stage(tuple(fault_tests()), ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder")),
    Stage(("integration", "acceptance"), ("-n", "6", "--dist", "worksteal"), but=COMPUTING),
)
BESIDE = Stage(COMPUTING, ("-n", "2", "--dist", "worksteal", "--timeout", "600"), nice=5)
#: What is dear, beside something quicker that tests much the same.
SLOW = Stage((".",), ("-m", "slow", "-n", "3", "--dist", "worksteal", "--timeout", "600"))
#: One after another on each of two cores, an hour for each.
SOAK = (
    Stage((".",), ("-m", "soak", "-n", "2", "--dist", "load", "--timeout", "3600")),
    Stage(
        ("unit",),
        (*("-m", "hypothesis", "--hypothesis-profile", "soak"), "-n", "2", "--timeout", "3600"),
    ),
)


def environment() -> dict[str, str]:
    """Ours, but for the wish to keep no bytecode.

    Tests start hundreds of programs, and each would compile the whole package again: two seconds
    for one that otherwise takes one.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    """Run all stages; the first failing status, or 0."""
    words = sys.argv[1:]
    if "--slow" in words:
        words.remove("--slow")
        return SLOW.run(words)
    if "--soak" in words:
        words.remove("--soak")
        return next(filter(None, [stage.run(words) for stage in SOAK]), 0)
    with tempfile.TemporaryFile() as said:
        beside: list[int] = []
        thread = threading.Thread(target=lambda: beside.append(BESIDE.run(words, said.fileno())))
        thread.start()
        found = [stage.run(words) for stage in WAITING]
        thread.join()
        said.seek(0)
        sys.stdout.write(said.read().decode(errors="replace"))
    return next(filter(None, [*found, *beside]), 0)


if __name__ == "__main__":
    sys.exit(main())
