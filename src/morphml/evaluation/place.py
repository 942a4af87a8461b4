"""Where one process stands among those that run a trial together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of the processes that run a trial at once, each on a worker of its own."""

    #: 0 to ``world_size`` - 1; the result, reports and checkpoints of 0 are the trial's.
    rank: int = 0
    #: How many there are, >= 1.
    world_size: int = 1
    #: ``host:port`` of the machine of rank 0, with an IPv6 host in brackets; "" for one alone.
    rendezvous: str = ""

    def environment(self) -> Mapping[str, str]:
        """What ``torch.distributed`` reads with ``env://``; empty for one alone."""
        if self.world_size == 1:
            return {}
        host, _, port = self.rendezvous.rpartition(":")
        return {
            "MASTER_ADDR": host.strip("[]"),
            "MASTER_PORT": port,
            "RANK": str(self.rank),
            "WORLD_SIZE": str(self.world_size),
        }

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Within it this process's environment says so; what was there comes back."""
        told = self.environment()
        before = {name: os.environ.get(name) for name in told}
        os.environ.update(told)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


#: The place of a trial that runs in one process.
ALONE = Place()
