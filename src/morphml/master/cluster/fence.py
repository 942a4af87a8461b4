"""Which attempts are a worker's, of workers that come over REST: all others are fenced out."""

from __future__ import annotations

from collections.abc import Collection

from morphml.engines.remote.messages import AttemptName
from morphml.errors import TokenRefused
from morphml.ids import AttemptToken, SessionId
from morphml.search.changes import AttemptResult
from morphml.storage import SqlStore
from morphml.storage.cluster import RestWorker


class Fence:
    """Judges what workers say of attempts; may be used from several threads.

    Args:
        store: the truth.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def worker(self, id_: str, incarnation: int | None = None) -> RestWorker:
        """A worker that lives.

        Raises:
            UnknownWorker: when it is not there, or a later incarnation took its place.
        """
        return self._store.cluster.rest_workers.find(id_, incarnation)

    def held(self, session: SessionId) -> set[AttemptToken]:
        """The attempts that a worker's session holds."""
        return {
            token for attempts in self._store.leases.held(session).values() for _, token in attempts
        }

    def check(self, id_: str, attempt: AttemptName, incarnation: int | None = None) -> SessionId:
        """Let an attempt pass that the worker holds; the worker's session.

        Raises:
            UnknownWorker: when the worker is not there.
            TokenRefused: when the attempt has ended, or is not the worker's any more.
        """
        session = self.worker(id_, incarnation).session
        held = self._store.leases.held(session).get(attempt.owner, ())
        if (attempt.number, attempt.token) not in held:
            raise self._refusal(id_, attempt)
        return session

    def judge(
        self,
        id_: str,
        attempt: AttemptName,
        refused: Collection[AttemptToken],
        *,
        is_end: bool = False,
    ) -> None:
        """Let pass what the store took, and an end that is stored and was sent again.

        Args:
            id_: of the worker.
            attempt: that it told of.
            refused: by the store.
            is_end: whether it told of the attempt's end.

        Raises:
            TokenRefused: when the attempt is not the worker's any more.
        """
        if refused and not (is_end and self._has_ended(attempt)):
            raise self._refusal(id_, attempt)

    def _has_ended(self, attempt: AttemptName) -> bool:
        """Whether an end that its worker told is stored, or on its way to the driver."""
        leases = self._store.leases
        stored = leases.stored(attempt.owner, attempt.number, attempt.token)
        return stored is not AttemptResult.LOST and attempt.token in leases.ended([attempt])

    def _refusal(self, id_: str, attempt: AttemptName) -> TokenRefused:
        return TokenRefused(
            f"attempt {attempt.token[:8]}... is not worker {id_}'s any more: it has ended, or its "
            "task has gone on without it; drop what it found"
        )
