"""Evaluators that do what evaluators should not, importable by child processes."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from morphml.evaluation import SetupContext, Trial, TrialCancelled
from morphml.testing.engine_probe import ToyArchitecture

MEBI = 1 << 20


def note_pids(folder: str, *pids: int) -> None:
    """Write process ids where the test finds them."""
    for pid in pids:
        (Path(folder) / str(pid)).touch()


def good(arch: ToyArchitecture, trial: Trial) -> float:
    return 0.5


def hang(arch: ToyArchitecture, trial: Trial) -> float:
    trial.report(1, score=0.1)
    time.sleep(600)
    return 0.0


def hang_in_c(arch: ToyArchitecture, trial: Trial) -> float:
    """Hangs where no Python signal handler can run."""
    ctypes.CDLL(None).signal(signal.SIGTERM, 1)  # SIG_IGN
    ctypes.PyDLL(None).sleep(600)
    return 0.0


def ignore_sigterm(arch: ToyArchitecture, trial: Trial) -> float:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
    return 0.0


def swallow_everything(arch: ToyArchitecture, trial: Trial) -> float:
    while True:
        try:
            time.sleep(600)
        except TrialCancelled:
            continue


def exit_process(arch: ToyArchitecture, trial: Trial) -> float:
    print("last words", end="")
    os._exit(7) if arch.vector[0] else None
    return 0.5


def segfault(arch: ToyArchitecture, trial: Trial) -> float:
    ctypes.string_at(0)
    return 0.0


def eat_memory(arch: ToyArchitecture, trial: Trial) -> float:
    kept = []
    for _ in range(200):
        kept.append(bytearray(os.urandom(16)) * MEBI)  # 16 MiB each, all pages touched
        time.sleep(0.01)
    return float(len(kept))


def eat_memory_in_forks(arch: ToyArchitecture, trial: Trial) -> float:
    for _ in range(3):
        if os.fork() == 0:
            kept = b"x" * (150 * MEBI)
            time.sleep(600)
            os._exit(len(kept) & 1)
    time.sleep(600)
    return 0.0


def raise_memory_error(arch: ToyArchitecture, trial: Trial) -> float:
    return float(len(bytearray(1 << 60)))


def print_binary(arch: ToyArchitecture, trial: Trial) -> float:
    block = bytes(range(256)) * 4096
    for _ in range(10):
        os.write(1, block)
    os.write(1, b"\nthe end of stdout\n")
    subprocess.run([sys.executable, "-c", "import sys; sys.stderr.buffer.write(b'\\xff sub')"])
    ctypes.CDLL(None).puts(b"from C")
    print("text \ud800")
    return 0.5


class Lingerer:
    """Starts processes of three kinds, notes them, and hangs, crashes or returns."""

    def __init__(self, folder: str, then: str) -> None:
        self.folder = folder
        self.then = then

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> float:
        forked = os.fork()
        if forked == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
            os._exit(0)
        shell = subprocess.Popen(["sleep", "600"])
        daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
        note_pids(self.folder, os.getpid(), forked, shell.pid, daemon.pid)
        (Path(self.folder) / "noted").touch()
        match self.then:
            case "hang":
                time.sleep(600)
            case "crash":
                os._exit(9)
        return 0.5


def fork_and_return_twice(arch: ToyArchitecture, trial: Trial) -> float:
    """The forked process returns into the engine's loop, as a careless fork does."""
    if os.fork() == 0:
        trial.report(1, score=0.1)
        return 0.1
    os.wait()
    trial.report(1, score=0.2)
    return 0.2


def write_into_pipe(arch: ToyArchitecture, trial: Trial) -> float:
    """Writes junk, or a message about another attempt, into the engine's own socket."""
    body = b'{"is": "finished", "token": "00"}'
    junk = b"\xff" * 64 if arch.vector[0] else struct.pack(">QB", len(body), 0) + body
    for fd in range(3, 64):
        try:
            with socket.socket(fileno=os.dup(fd)) as link:
                link.send(junk)
        except OSError:
            continue
    time.sleep(600)
    return 0.0


def close_everything(arch: ToyArchitecture, trial: Trial) -> float:
    os.closerange(3, 256)
    time.sleep(600)
    return 0.0


class CrashInSetup:
    def setup(self, context: SetupContext) -> None:
        print("setting up")
        sys.stdout.flush()
        os._exit(5)

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> float:
        return 0.5


class HangInSetup:
    def setup(self, context: SetupContext) -> None:
        time.sleep(600)

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> float:
        return 0.5


class CannotBeOpened:
    """Travels, but its pickle cannot be opened at the other end."""

    def __reduce__(self) -> tuple[object, ...]:
        return (_refuse, ())

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> float:
        return 0.5


def _refuse() -> object:
    raise ImportError("not on this machine")


def obey_softly(arch: ToyArchitecture, trial: Trial) -> float:
    """Asks now and then, and never raises."""
    for step in range(1, 10_000):
        trial.report(step, check=False, score=step / 10_000)
        if trial.should_stop():
            return step / 10_000
        time.sleep(0.005)
    return 1.0


def obey(arch: ToyArchitecture, trial: Trial) -> float:
    for step in range(1, 10_000):
        trial.report(step, score=0.5)
        time.sleep(0.005)
    return 1.0


class Flood:
    """Reports more than any pipe takes while nobody listens, and says when all is reported."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> float:
        for step in range(20_000):
            trial.report(step, score=0.5)
        (Path(self.folder) / "reported").touch()
        return 0.5
