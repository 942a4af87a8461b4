"""Mail: what a master tells the driver about an attempt that it holds and does not drive.

An attempt whose end is posted has no holder from then on: no reaper gives its task back. The
commit that ends the attempt takes the rest of its mail away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.storage.database import Database, Row, Values, again
from morphml.storage.statements import mail_rows, task_rows
from morphml.storage.states import MailKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One thing that happened to an attempt."""

    experiment: ExperimentId
    #: The trial's number, and which of its segments this is.
    number: int
    segment: int
    token: AttemptToken
    kind: MailKind
    #: What happened, as a JSON object of the master's own.
    body: bytes = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """Mail as the driver finds it."""

    id: int
    mail: Mail
    #: Seconds since the Unix epoch, by the database's clock.
    posted_at: float


class MailBox:
    """Posts and reads mail; may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def post(self, session: SessionId, mails: Iterable[Mail]) -> list[AttemptToken]:
        """Store what happened to attempts that ``session`` holds, all in one transaction.

        Args:
            session: of the master that posts.
            mails: in order; a ``finished`` is the last of its token.

        Returns:
            Tokens that the session does not hold, each once: nothing of them was stored. Ask
            ``leases.ended`` whether an earlier call has stored their end.
        """
        # Tasks are locked in one order, so that two masters never wait for each other.
        in_order = sorted(mails, key=lambda mail: (mail.experiment, mail.number))
        return again(lambda: self._post(session, in_order)) if in_order else []

    def waiting(self, experiments: Collection[ExperimentId], limit: int) -> list[StoredMail]:
        """The oldest mail of each experiment, at most ``limit`` of each, as often as one asks.

        Mail of one token comes in the order of posting. About 15 us an experiment when there is
        none.
        """
        if not experiments:
            return []
        with self._database.reading() as run:
            return [
                _stored(experiment, row)
                for experiment in experiments
                for row in run.rows(
                    mail_rows.mail_of, {"p_experiment": experiment, "p_limit": limit}
                )
            ]

    def take_away(self, ids: Sequence[int]) -> None:
        """Drop mail that the driver has acted on.

        Not that of kind ``finished`` before its attempt's end is committed: until then the mail is
        all that is known of it.
        """
        if ids:
            again(lambda: self._drop(ids))

    def _post(self, session: SessionId, mails: Sequence[Mail]) -> list[AttemptToken]:
        attempts = {mail.token: _attempt(session, mail) for mail in mails}
        with self._database.writing() as run:
            rows = run.each(task_rows.held_by, list(attempts.values()))
            held = {token for token, row in zip(attempts, rows, strict=True) if row is not None}
            told = [mail for mail in mails if mail.token in held]
            ended = [mail.token for mail in told if mail.kind is MailKind.FINISHED]
            if told:
                run.tell(mail_rows.add_mail, [_values(mail) for mail in told])
            if ended:
                run.tell(task_rows.end_held, [attempts[token] for token in ended])
        return [token for token in attempts if token not in held]

    def _drop(self, ids: Sequence[int]) -> None:
        with self._database.writing() as run:
            run.tell(mail_rows.drop_mail, [{"p_id": id_} for id_ in sorted(ids)])


def _attempt(session: SessionId, mail: Mail) -> Values:
    return {
        "p_session": session,
        "p_owner": mail.experiment,
        "p_number": mail.number,
        "p_token": mail.token,
    }


def _values(mail: Mail) -> Values:
    return {
        "p_owner": mail.experiment,
        "p_number": mail.number,
        "p_segment": mail.segment,
        "p_token": mail.token,
        "p_kind": mail.kind.value,
        "p_body": mail.body.decode(),
    }


def _stored(experiment: ExperimentId, row: Row) -> StoredMail:
    id_, number, segment, token, kind, body, posted_at = row
    mail = Mail(
        experiment=experiment,
        number=number,
        segment=segment,
        token=AttemptToken(token),
        kind=MailKind(kind),
        body=body.encode(),
    )
    return StoredMail(id=id_, mail=mail, posted_at=posted_at)
