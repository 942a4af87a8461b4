"""The mail of one master: out, about attempts that it runs for others; in, for what it drives."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from morphml.engines.port import (
    Checkpointed,
    EngineEvent,
    Finished,
    Logged,
    PausedAt,
    Returned,
)
from morphml.engines.remote.hub import Hub
from morphml.engines.remote.messages import AttemptName
from morphml.errors import StorageError, StoreUnavailable
from morphml.ids import AttemptToken, ExperimentId, TaskId
from morphml.master.artifacts import RunArtifacts
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.held import is_without_worker
from morphml.master.cluster.mails import mail_of
from morphml.master.flights import Flight
from morphml.master.session import MasterLife
from morphml.storage import SqlStore
from morphml.storage.cluster import Mail, MailKind
from morphml.storage.hints import HintTopic

log = logging.getLogger(__name__)

#: Mails of one transaction at most.
BATCH = 500
#: Mails that wait for the store at most.
MOST = 20_000
#: Seconds between two tries while the store is away.
AGAIN_S = 0.5
_NO_TASK = TaskId("")


class _Saved(NamedTuple):
    """A checkpoint of an attempt, and the mail that told of it."""

    mail: Mail
    event: Checkpointed


_Entry: TypeAlias = Mail | AttemptName | _Saved


class OutgoingMail:
    """Posts what happens to attempts that are driven elsewhere, in batches, from its own thread.

    Nothing is acknowledged to a worker before it is stored. While the store is away the mail waits
    here, and the worker keeps its results.

    Args:
        store: takes the mail.
        life: of this master; its session holds the attempts.
        hub: told which ends are stored, and which attempts are not ours any more.
        contexts: of the experiments.
    """

    def __init__(
        self, store: SqlStore, life: MasterLife, hub: Callable[[], Hub], contexts: Contexts
    ) -> None:
        self._store = store
        self._session = life.session
        self._life = life
        self._hub = hub
        self._contexts = contexts
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        #: The newest checkpoint of each attempt that runs.
        self._saved: dict[AttemptToken, _Saved] = {}
        self._artifacts: dict[ExperimentId, RunArtifacts] = {}
        #: Experiments of which output was dropped.
        self._refused: set[ExperimentId] = set()
        #: Whether somebody was told already that the store is away.
        self._away = False
        #: Attempts that ended here only because their worker went away, perhaps to another master.
        self._given_up: set[AttemptToken] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="morphml-mail", daemon=True)
        self._thread.start()

    def put(self, attempt: AttemptName, events: Sequence[EngineEvent]) -> None:
        """Queue what happened to one attempt. Never waits for the store's answer.

        Raises:
            StoreUnavailable: when so much waits that the hub is to keep it, and hold workers back.
        """
        if self._queue.qsize() >= MOST:
            raise StoreUnavailable(f"{MOST} mails wait already for the store to come back")
        folder = self._contexts.folder(attempt.owner)
        for event in events:
            if isinstance(event, Logged):
                self._keep_output(attempt, event)
            elif isinstance(event, Finished) and isinstance(event.outcome, Returned):
                self._queue.put(attempt)
            elif (mail := mail_of(attempt, event, folder)) is not None:
                self._keep_at_rest(mail, event)
                if is_without_worker(event):
                    self._given_up.add(attempt.token)
                self._queue.put(mail)
            if isinstance(event, Finished) and attempt.owner in self._artifacts:
                self._artifacts[attempt.owner].forget_output(attempt.number)

    def close(self) -> None:
        """Stop posting; what was not posted, the workers offer again to the next master."""
        self._closed.set()
        self._queue.put(None)
        self._thread.join(timeout=5.0)

    def _keep_at_rest(self, mail: Mail, event: EngineEvent) -> None:
        """Before a trial rests, its checkpoint goes to where its driver finds it."""
        match event:
            case Checkpointed():
                self._saved[mail.token] = _Saved(mail, event)
            case Finished(outcome=PausedAt(step=step)):
                saved = self._saved.pop(mail.token, None)
                if saved and saved.event.step == step:
                    self._queue.put(saved)
            case Finished():
                self._saved.pop(mail.token, None)
            case _:
                pass

    def _keep_output(self, attempt: AttemptName, event: Logged) -> None:
        """Append captured output; a disk that refuses it does not hold results back."""
        flight = Flight(attempt.token, _NO_TASK, attempt.number, attempt.segment, 0)
        try:
            self._artifacts_of(attempt.owner).append_output(flight, event.stream, event.text)
        except StoreUnavailable as error:
            if attempt.owner not in self._refused:
                self._refused.add(attempt.owner)
                log.warning("experiment %s: output is dropped: %s", attempt.owner, error)

    def _artifacts_of(self, experiment: ExperimentId) -> RunArtifacts:
        artifacts = self._artifacts.get(experiment)
        if artifacts is None:
            folder = self._contexts.folder(experiment)
            artifacts = self._artifacts[experiment] = RunArtifacts(folder)
        return artifacts

    def _run(self) -> None:
        while not self._closed.is_set():
            batch = self._next_batch()
            while batch and not self._closed.is_set():
                try:
                    self._post(batch)
                    self._away = False
                    break
                except StorageError as error:
                    if not self._away:
                        self._away = True
                        log.warning("mail waits, the store is away: %s", error)
                    self._closed.wait(AGAIN_S)

    def _next_batch(self) -> list[_Entry]:
        first = self._queue.get()
        batch = [] if first is None else [first]
        while len(batch) < BATCH:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is not None:
                batch.append(entry)
        return batch

    def _post(self, batch: Sequence[_Entry]) -> None:
        returned = [entry for entry in batch if isinstance(entry, AttemptName)]
        held = self._store.leases.held(self._session) if returned else {}
        for back in returned:
            if (back.number, back.token) in held.get(back.owner, ()):
                self._store.leases.give_back(back.owner, [(back.number, back.token)])
            self._hub().acknowledge([back.token])
        mails = [mail for entry in batch if (mail := self._mail(entry)) is not None]
        if mails:
            refused = self._store.cluster.mail.post(self._session, mails)
            self._settle(mails, set(refused))

    def _mail(self, entry: _Entry) -> Mail | None:
        """What of an entry is to be posted; a checkpoint again, once its driver can have it."""
        match entry:
            case AttemptName():
                return None
            case Mail():
                return entry
            case _Saved():
                exchange, event = self._contexts.exchange, entry.event
                kept = exchange is not None and exchange.put(event.digest, event.path)
                return entry.mail if kept else None

    def _settle(self, mails: Sequence[Mail], refused: set[AttemptToken]) -> None:
        """Ends are stored now; what was refused belongs to somebody else by now."""
        if refused and self._life.lost:
            return  # not judged yet: the workers offer it again to the next life of this master
        ends = {mail.token: mail for mail in mails if mail.kind is MailKind.FINISHED}
        seen = [ends[token] for token in refused.intersection(ends) - self._given_up]
        self._given_up.difference_update(ends)
        again = self._held_after_all(seen)
        for mail in again:
            self._queue.put(mail)
        settled = set(ends).difference(mail.token for mail in again)
        if settled:
            self._hub().acknowledge(sorted(settled))
        if taken := refused.difference(ends):
            self._hub().kill(sorted(taken))
        self._store.hints.send(HintTopic.MAIL)

    def _held_after_all(self, refused: Sequence[Mail]) -> list[Mail]:
        """Of the refused ends those whose attempt this master could adopt, to be posted again.

        The others are stored already, or their task has gone on without them.
        """
        if not refused:
            return []
        names = [
            AttemptName(
                token=mail.token, owner=mail.experiment, number=mail.number, segment=mail.segment
            )
            for mail in refused
        ]
        stored = set(self._store.leases.ended(names))
        open_ = [name for name in names if name.token not in stored]
        adopted = set(self._store.leases.adopt_all(self._session, open_))
        return [mail for mail in refused if mail.token in adopted]
