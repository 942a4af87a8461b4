"""A master that drives nothing: claims tasks, and posts what became of them until it is killed."""

from __future__ import annotations

import sys
import time

from morphml.ids import SessionId
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.storage.cluster import Mail, MailKind


def main(url: str, lease_s: str) -> None:
    """Print the token of each attempt whose end is posted, once it is stored."""
    store = open_store(url, StoreOptions(session_lease_s=float(lease_s)))
    print("ready", flush=True)
    while True:
        session = store.open_session("posting")
        while store.renew_session(session):
            if not post_some(store, session):
                time.sleep(0.02)


def post_some(store: SqlStore, session: SessionId) -> int:
    """Claim some tasks and end them; how many there were."""
    tasks = store.cluster.claim_any(session, 5)
    for task in tasks:
        mails = [
            Mail(
                experiment=task.experiment,
                number=task.number,
                segment=task.segment,
                token=task.token,
                kind=kind,
            )
            for kind in (MailKind.STARTED, MailKind.REPORTED, MailKind.FINISHED)
        ]
        if not store.cluster.mail.post(session, mails):
            print(task.token, flush=True)
    return len(tasks)


if __name__ == "__main__":
    main(*sys.argv[1:])
