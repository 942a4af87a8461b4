"""A process that drives a store until somebody kills it; run by ``test_kill``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from morphml.errors import DriverLost, StorageError
from morphml.settings import Durability
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.testing.store_contract import DriverScript


def say(text: object) -> None:
    print(text, flush=True)


def script_of(store: SqlStore) -> DriverScript:
    (record,) = store.experiments()
    return DriverScript(store, record.id, store.open_session("child"))


def drive(path: Path, durability: str) -> None:
    """Commit result n and proposal n + 1, and say n + 1 once it is acknowledged."""
    script = script_of(open_store(path, StoreOptions(durability=Durability(durability))))
    say(script.number)
    handed = script.ask()[0]
    while True:
        say(script.number)
        script.tell(handed)
        handed = script.ask()[0]


def hold(path: Path) -> None:
    script = script_of(open_store(path))
    script.ask()
    say(script.number)
    time.sleep(60)


def wait(path: Path) -> None:
    store = open_store(path)
    script = script_of(store)
    handed = script.ask()[0]
    say(script.number)
    sys.stdin.readline()
    try:
        script.tell(handed)
    except DriverLost:
        say(f"DriverLost renewed={store.renew_session(script.right.session)}")


def leave_children(path: Path) -> None:
    script = script_of(open_store(path))
    forked = os.fork()
    if forked == 0:
        time.sleep(60)
        os._exit(0)
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    script.ask()
    say(f"{forked} {started.pid}")
    time.sleep(60)


def fork(path: Path) -> None:
    script = script_of(open_store(path))
    forked = os.fork()
    if forked == 0:
        try:
            script.ask()
        except StorageError as error:
            say(type(error).__name__)
        os._exit(0)
    os.waitpid(forked, 0)
    script.ask()
    say("parent goes on")


def lay(path: Path) -> None:
    say("here")
    open_store(path)
    time.sleep(60)


def main() -> None:
    path, what, *rest = Path(sys.argv[1]), *sys.argv[2:]
    match what:
        case "drive":
            drive(path, *rest)
        case "hold":
            hold(path)
        case "wait":
            wait(path)
        case "leave-children":
            leave_children(path)
        case "fork":
            fork(path)
        case "open":
            lay(path)


if __name__ == "__main__":
    main()
