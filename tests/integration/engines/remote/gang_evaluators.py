"""Evaluators that run at several workers at once and talk with each other where they are told to.

Each call leaves a line in the file that TALLY names.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import torch

#: Longer than any test takes.
_LONG_S = 150.0


def note(word: str, trial: Any) -> None:
    with Path(os.environ["TALLY"]).open("a", encoding="ascii") as file:
        file.write(f"{word} {trial.number} {os.getpid()} {trial.rank} {trial.world_size}\n")


def meet(trial: Any) -> list[socket.socket]:
    """Connections of rank 0 to all others, in the order of their ranks; of those, one to rank 0."""
    host, _, port = trial.rendezvous.rpartition(":")
    if trial.rank == 0:
        with socket.create_server((host, int(port))) as server:
            server.settimeout(_LONG_S)
            friends = [server.accept()[0] for _ in range(trial.world_size - 1)]
        return sorted(friends, key=lambda friend: friend.recv(1))
    end = time.monotonic() + _LONG_S
    while True:
        try:
            friend = socket.create_connection((host, int(port)))
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            friend.sendall(bytes([trial.rank]))
            return [friend]


def talking(arch: Any, trial: Any) -> float:
    """Rank 0 gathers what the others are called; the sum of their ranks comes back to all."""
    note("began", trial)
    print(f"rank {trial.rank}")
    trial.report(1, score=float(trial.rank))
    friends = meet(trial)
    if trial.rank == 0:
        total = sum(friend.recv(1)[0] for friend in friends)
        for friend in friends:
            friend.sendall(bytes([total]))
        for friend in friends:
            assert friend.recv(1) == b""  # it has ended
    else:
        friends[0].sendall(bytes([trial.rank]))
        total = friends[0].recv(1)[0]
        friends[0].close()
    return float(total) if trial.rank == 0 else -1.0


def reducing(arch: Any, trial: Any) -> float:
    """The same by torch, which finds the others by its own environment variables."""
    from torch import distributed

    note("began", trial)
    distributed.init_process_group("gloo", init_method="env://")
    try:
        total = torch.tensor([float(trial.rank)])
        distributed.all_reduce(total)
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
    return float(total)


def waiting(arch: Any, trial: Any) -> float:
    """All wait for rank 0, which waits for ever; whoever loses the other raises at once."""
    note("began", trial)
    friends = meet(trial)
    trial.report(1, score=float(trial.rank))
    note("met", trial)
    for friend in friends:
        if friend.recv(1) == b"":
            raise ConnectionError("a partner is gone")
    return 0.0


def dying(arch: Any, trial: Any) -> float:
    """The last rank is killed once all have met."""
    note("began", trial)
    friends = meet(trial)
    if trial.rank == trial.world_size - 1:
        os.kill(os.getpid(), signal.SIGKILL)
    friends[-1].recv(1)
    time.sleep(_LONG_S)
    return 0.0


def saving(arch: Any, trial: Any) -> float:
    """Every rank saves a checkpoint of its own."""
    friends = meet(trial)
    trial.checkpoint(trial.rank + 1, weights=torch.zeros(2))
    for friend in friends:
        friend.sendall(b"x")
        friend.recv(1)
    return 0.0
