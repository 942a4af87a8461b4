"""The mail of one master: out, about attempts that it runs for others; in, for what it drives."""

from __future__ import annotations

import logging
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
from morphml.errors import StoreUnavailable
from morphml.ids import AttemptToken, ExperimentId, TaskId
from morphml.master.artifacts import RunArtifacts
from morphml.master.cluster.backlog import Backlog
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.held import adopt_refused, give_back, is_without_worker
from morphml.master.cluster.mails import mail_of
from morphml.master.flights import Flight
from morphml.master.session import MasterLife
from morphml.storage import SqlStore
from morphml.storage.cluster import Mail, MailKind
from morphml.storage.hints import HintTopic

log = logging.getLogger(__name__)

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
        #: The newest checkpoint of each attempt that runs.
        self._saved: dict[AttemptToken, _Saved] = {}
        self._artifacts: dict[ExperimentId, RunArtifacts] = {}
        #: Experiments of which output was dropped.
        self._refused: set[ExperimentId] = set()
        #: Attempts that ended here only because their worker went away, perhaps to another master.
        self._given_up: set[AttemptToken] = set()
        self._backlog: Backlog[_Entry] = Backlog(self._post, name="morphml-mail", what="mails")

    def put(self, attempt: AttemptName, events: Sequence[EngineEvent]) -> None:
        """Queue what happened to one attempt. Never waits for the store's answer.

        Raises:
            StoreUnavailable: when so much waits that the hub is to keep it, and hold workers back.
        """
        self._backlog.check_room()
        folder = self._contexts.folder(attempt.owner)
        for event in events:
            if isinstance(event, Logged):
                self._keep_output(attempt, event)
            elif isinstance(event, Finished) and isinstance(event.outcome, Returned):
                self._backlog.put(attempt)
            elif (mail := mail_of(attempt, event, folder)) is not None:
                self._keep_at_rest(mail, event)
                if is_without_worker(event):
                    self._given_up.add(attempt.token)
                self._backlog.put(mail)
            if isinstance(event, Finished) and attempt.owner in self._artifacts:
                self._artifacts[attempt.owner].forget_output(attempt.number)

    def close(self) -> None:
        """Stop posting; what was not posted, the workers offer again to the next master."""
        self._backlog.close()

    def _keep_at_rest(self, mail: Mail, event: EngineEvent) -> None:
        """Before a trial rests, its checkpoint goes to where its driver finds it."""
        match event:
            case Checkpointed():
                self._saved[mail.token] = _Saved(mail, event)
            case Finished(outcome=PausedAt(step=step)):
                saved = self._saved.pop(mail.token, None)
                if saved and saved.event.step == step:
                    self._backlog.put(saved)
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

    def _post(self, batch: Sequence[_Entry]) -> None:
        returned = [entry for entry in batch if isinstance(entry, AttemptName)]
        if returned:
            give_back(self._store, self._session, returned)
            self._hub().acknowledge([name.token for name in returned])
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
        again = adopt_refused(self._store, self._session, [_name(mail) for mail in seen])
        self._given_up.difference_update(ends)
        for mail in seen:
            if mail.token in again:
                self._backlog.put(mail)
        settled = set(ends).difference(again)
        if settled:
            self._hub().acknowledge(sorted(settled))
        if taken := refused.difference(ends):
            self._hub().kill(sorted(taken))
        self._store.hints.send(HintTopic.MAIL)


def _name(mail: Mail) -> AttemptName:
    return AttemptName(
        token=mail.token, owner=mail.experiment, number=mail.number, segment=mail.segment
    )
