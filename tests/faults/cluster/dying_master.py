"""A master that sends itself a signal at one exact point of an attempt's way.

As ``morphml master``, with a point, how often it is to be passed before that, the signal, and the
lease of its session in seconds; run by ``test_fault_points``.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from morphml.cli import serving
from morphml.cli.doors import server_door
from morphml.errors import DriverLost, StoreUnavailable
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.scheduling.reaping import ReaperRule

#: Seconds in which other threads send what was given to them: a word too early is to be heard.
SAID_WITHIN_S = 0.3


class Deathbed:
    """Counts the passes of each point and dies, or stands still, at one of them."""

    def __init__(self, point: str, count: int, end: signal.Signals) -> None:
        self._point = point
        self._left = count
        self._end = end
        self.passed: Counter[str] = Counter()

    def passing(self, point: str) -> None:
        self.passed[point] += 1
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                time.sleep(SAID_WITHIN_S)
                # To this thread: one to the process may take effect after the next steps of it.
                signal.pthread_kill(threading.get_ident(), self._end)


class Around:
    """An object of which some methods pass points before and after."""

    def __init__(self, inner: object, **methods: object) -> None:
        self._inner = inner
        self._methods = methods

    def __getattr__(self, name: str) -> object:
        return self._methods[name] if name in self._methods else getattr(self._inner, name)


def dying_store(store: object, deathbed: Deathbed) -> Around:
    """The store of a master; what a commit is about decides which points it passes."""

    def commit(driver: object, changes: object) -> None:
        about = [
            *(["result"] if changes.ended else []),
            *(["lease"] if any(task.lease for task in changes.tasks) else []),
            *(["end"] if changes.end else []),
        ]
        for each in about:
            deathbed.passing(f"before commit of {each}")
        insist(store, driver, changes)
        for each in about:
            deathbed.passing(f"after commit of {each}")

    def watched(call: Callable[..., object], what: str) -> Callable[..., object]:
        def watching(*arguments: object, **named: object) -> object:
            deathbed.passing(f"before {what}")
            answer = call(*arguments, **named)
            if answer or what == "post":
                deathbed.passing(f"after {what}")
            return answer

        return watching

    cluster = store.cluster
    mail = Around(cluster.mail, post=watched(cluster.mail.post, "post"))
    leases = Around(store.leases, adopt_all=watched(store.leases.adopt_all, "adopt"))
    return Around(
        store,
        commit=commit,
        claim=watched(store.claim, "claim"),
        cluster=Around(
            cluster, mail=mail, claim_any=watched(cluster.claim_any, "claim for others")
        ),
        leases=leases,
    )


def insist(store: object, driver: object, changes: object) -> None:
    """Commit, on a new connection where the one that there was is lost; say who refused it."""
    while True:
        try:
            return store.commit(driver, changes)
        except StoreUnavailable:
            time.sleep(0.1)
        except DriverLost as error:
            logging.info("the fence refused a commit: %s", error)
            raise


def main() -> None:
    storage, listen, name, artifacts, tokens, point, count, end, lease_s = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    deathbed = Deathbed(point, int(count), signal.Signals[end])

    def dying(settings: MasterSettings, access: object) -> Master:
        master = Master(settings, access)
        master.store = dying_store(master.store, deathbed)
        return master

    serving.Master = dying
    settings = MasterSettings(
        storage=storage,
        listen=listen,
        name=name,
        artifacts=Path(artifacts),
        reaper=ReaperRule(lease_s=float(lease_s)),
    )
    access = server_door(listen, Path(tokens), None, None, None)
    serving.serve_master(settings, access, Path(tokens))


if __name__ == "__main__":
    main()
