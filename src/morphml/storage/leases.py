"""What any master does for sessions and attempts that are not its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.search.changes import AttemptResult
from morphml.storage.database import Database, Values
from morphml.storage.sessions import check_live, expire
from morphml.storage.statements import session_rows, task_rows, trial_rows


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
        with self._database.writing() as run:
            return [session for session in sessions if expire(run, session)]

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
        with self._database.writing() as run:
            check_live(run, session)
            return run.run(task_rows.adopt, values) == 1

    def give_back(self, experiment: ExperimentId, held: Sequence[tuple[int, AttemptToken]]) -> int:
        """Put back tasks that were leased and never started; no attempt is counted.

        Args:
            experiment: whose tasks.
            held: number of the trial, and the token that was given.

        Returns:
            How many went back; the others are held by somebody else, or have ended.
        """
        with self._database.writing() as run:
            return sum(
                run.run(
                    task_rows.give_back,
                    {"p_owner": experiment, "p_number": number, "p_token": token},
                )
                for number, token in held
            )

    def stored(
        self, experiment: ExperimentId, number: int, token: AttemptToken
    ) -> AttemptResult | None:
        """How an attempt ended, if its end is stored: the answer to a result sent again."""
        values: Values = {"p_owner": experiment, "p_number": number, "p_token": token}
        with self._database.reading() as run:
            row = run.row(trial_rows.result_of, values)
        return None if row is None else AttemptResult(row[0])
