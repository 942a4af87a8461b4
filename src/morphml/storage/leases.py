"""What any master does for sessions and attempts that are not its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.search.changes import AttemptResult, CheckpointPointer
from morphml.storage.claims import checkpoint_of
from morphml.storage.database import Database, Row, Values, again
from morphml.storage.sessions import check_live, expire
from morphml.storage.statements import session_rows, task_rows, trial_rows


class NamedAttempt(Protocol):
    """An attempt as its worker names it."""

    @property
    def owner(self) -> ExperimentId:
        """The experiment that owns the task."""
        ...

    @property
    def number(self) -> int:
        """The trial's number."""
        ...

    @property
    def token(self) -> AttemptToken:
        """The attempt's secret."""
        ...


class Leases:
    """Reaping, adoption, and giving tasks back.

    When to reap is the master's to decide (after an outage it waits one full lease, and when more
    than half of all leases run out at once it waits one more): the store only says who is late.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def late(self) -> tuple[list[SessionId], int]:
        """Sessions whose lease has run out, oldest first, and how many sessions there are."""
        with self._database.reading() as run:
            rows = run.rows(session_rows.live_sessions, {})
        return [SessionId(name) for name, late in rows if late], len(rows)

    def reap(self, sessions: Iterable[SessionId]) -> list[SessionId]:
        """End the sessions that are late still, and put their tasks back.

        Returns:
            Those that this call ended. One that was renewed meanwhile lives on.
        """
        late = list(sessions)

        def transaction() -> list[SessionId]:
            with self._database.writing() as run:
                return [session for session in late if expire(run, session)]

        return again(transaction)

    def adopt(
        self, session: SessionId, experiment: ExperimentId, number: int, token: AttemptToken
    ) -> bool:
        """Hold the attempt at a trial that a worker has announced, instead of whoever held it.

        Returns:
            False when the token is not the live one, nor that of the attempt lost last: the
            worker is to kill the attempt.

        Raises:
            StorageError: when the session has ended.
        """
        values: Values = {
            "p_session": session,
            "p_owner": experiment,
            "p_number": number,
            "p_token": token,
        }
        return self._adopt(session, [values]) != [None]

    def adopt_all(self, session: SessionId, attempts: Iterable[NamedAttempt]) -> list[AttemptToken]:
        """Like ``adopt`` for all attempts that a worker has announced, in one transaction.

        Returns:
            Tokens of those that ``session`` holds now; the worker is to kill the others, but for
            those that ``ended`` knows.

        Raises:
            StorageError: when the session has ended.
        """
        in_order = sorted(attempts, key=lambda one: (one.owner, one.number))
        adopted = self._adopt(session, [{**_name(one), "p_session": session} for one in in_order])
        return [one.token for one, row in zip(in_order, adopted, strict=True) if row is not None]

    def ended(self, attempts: Iterable[NamedAttempt]) -> list[AttemptToken]:
        """Tokens of the attempts whose end is stored, or waits as mail for the driver.

        Their workers may forget them.
        """
        asked = list(attempts)
        names = [_name(one) for one in asked]
        with self._database.reading() as run:
            # In this order: a commit in between moves an end from the tasks to the attempts.
            waiting = run.each(task_rows.ended_of, names)
            stored = run.each(trial_rows.result_of, names)
        ends = zip(asked, waiting, stored, strict=True)
        return [one.token for one, *found in ends if any(row is not None for row in found)]

    def held(self, session: SessionId) -> dict[ExperimentId, list[tuple[int, AttemptToken]]]:
        """Number and token of all attempts that ``session`` holds, by experiment."""
        with self._database.reading() as run:
            rows = run.rows(session_rows.tasks_held, {"p_session": session})
        found: dict[ExperimentId, list[tuple[int, AttemptToken]]] = {}
        for owner, number, token in rows:
            found.setdefault(ExperimentId(owner), []).append((number, AttemptToken(token)))
        return found

    def give_back(self, experiment: ExperimentId, held: Sequence[tuple[int, AttemptToken]]) -> int:
        """Put back tasks that were leased and never started; no attempt is counted.

        Args:
            experiment: whose tasks.
            held: number of the trial, and the token that was given.

        Returns:
            How many went back; the others are held by somebody else, or have ended.
        """
        values: list[Values] = [
            {"p_owner": experiment, "p_number": number, "p_token": token}
            for number, token in sorted(held)
        ]

        def transaction() -> list[Row | None]:
            with self._database.writing() as run:
                return run.each(task_rows.give_back, values)

        return sum(row is not None for row in again(transaction))

    def stored(
        self, experiment: ExperimentId, number: int, token: AttemptToken
    ) -> AttemptResult | None:
        """How an attempt ended, if its end is stored: the answer to a result sent again."""
        values: Values = {"p_owner": experiment, "p_number": number, "p_token": token}
        with self._database.reading() as run:
            row = run.row(trial_rows.result_of, values)
        return None if row is None else AttemptResult(row[0])

    def checkpoint(self, experiment: ExperimentId, number: int) -> CheckpointPointer | None:
        """The checkpoint of a trial that is furthest on; None without one."""
        values: Values = {"p_experiment": experiment, "p_number": number}
        with self._database.reading() as run:
            row = run.row(task_rows.claimed_trial, values)
        return None if row is None else checkpoint_of(row[1:])

    def _adopt(self, session: SessionId, attempts: Sequence[Values]) -> list[Row | None]:
        def transaction() -> list[Row | None]:
            with self._database.writing() as run:
                check_live(run, session)
                return run.each(task_rows.adopt, attempts)

        return again(transaction)


def _name(attempt: NamedAttempt) -> Values:
    return {"p_owner": attempt.owner, "p_number": attempt.number, "p_token": attempt.token}
