"""What every test process needs first, what tests cost, and servers that tests share."""

from __future__ import annotations

import atexit
import gc
import os
import resource
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from morphml.testing.postgres import PrivateServer

# A shell starts its background jobs with Ctrl-C ignored, and children inherit that through exec:
# tests that interrupt a search would then wait for nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Every master would start a process that serves REST, and try the same port; who tests it says so.
os.environ["MORPHML_REST"] = "off"


def leave_the_home_alone() -> None:
    """Let this run and all that it starts keep tokens, data and code in a folder of its own.

    But for the fonts that matplotlib has found, which takes it seconds.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    os.environ.setdefault("MPLCONFIGDIR", str(caches / "matplotlib"))
    folder = tempfile.mkdtemp(prefix="morphml-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for kind in ("CACHE", "CONFIG", "DATA"):
        os.environ[f"XDG_{kind}_HOME"] = str(Path(folder) / kind.lower())


if "PYTEST_XDIST_WORKER" not in os.environ:  # those have it from the process that starts them
    leave_the_home_alone()

BEGAN = pytest.StashKey[float]()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Look for no garbage while modules are imported: all of it stays, a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Let no collection of garbage walk again and again through what stays for the whole run.

    Modules and collected tests are hundreds of thousands of objects; a tenth of the unit tests'
    processor time went there.
    """
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cpu", type=int, default=0, help="list the N tests and folders that cost most seconds"
    )


def processor_s() -> float:
    """Of this process and of its ended children, and theirs."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, who))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[BEGAN] = processor_s()
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    if call.when == "teardown":
        item.user_properties.append(("cpu_s", processor_s() - item.stash[BEGAN]))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What the dearest tests cost: the processor's seconds, which other programs do not lengthen.

    What a session's fixture costs is the first test's; what a child costs, the test's that saw it
    end.
    """
    most = config.getoption("--cpu")
    tests, folders = Counter[str](), Counter[str]()
    for report in (each for kind in terminalreporter.stats.values() for each in kind):
        for name, spent in getattr(report, "user_properties", ()) if most else ():
            if name == "cpu_s":
                tests[report.nodeid] += spent
                folders[report.nodeid.partition("::")[0].rpartition("/")[0]] += spent
    if most:
        terminalreporter.section(f"{tests.total():.0f} s of processor time")
        for counted in (folders, tests):
            for name, spent in counted.most_common(most):
                terminalreporter.write_line(f"{spent:8.2f} s  {name}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivateServer]:
    """A PostgreSQL server for the whole session; not to be killed, and it does not flush."""
    from morphml.testing.postgres import private_server

    with private_server(fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PrivateServer) -> str:
    """The name of a database that holds an empty store, to be copied."""
    from morphml.storage import open_store

    url = postgres_server.new_database()
    open_store(url).close()
    return url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: PrivateServer, postgres_template: str) -> str:
    """The URL of an empty store of this test's own; about 50 ms."""
    return postgres_server.new_database(postgres_template)
