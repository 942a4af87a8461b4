"""A process that drives a store on PostgreSQL until somebody kills it; run by the kill tests."""

from __future__ import annotations

import sys

from morphml.errors import DriverLost
from morphml.storage import StoreOptions, open_store
from morphml.testing.store_contract import DriverScript

#: Seconds; short, so that a test may wait for its end.
LEASE_S = 2.0


def say(text: object) -> None:
    print(text, flush=True)


def main() -> None:
    url, what = sys.argv[1:]
    store = open_store(url, StoreOptions(session_lease_s=LEASE_S))
    (record,) = store.experiments()
    script = DriverScript(store, record.id, store.open_session("child"))
    handed = script.ask()[0]
    say(script.number)
    if what == "hold":
        sys.stdin.readline()
    try:
        while True:
            script.tell(handed)
            handed = script.ask()[0]
            say(script.number)
    except DriverLost:
        say(f"DriverLost renewed={store.renew_session(script.right.session)}")


if __name__ == "__main__":
    main()
