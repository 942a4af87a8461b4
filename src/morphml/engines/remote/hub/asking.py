"""Questions to the master's records, and news for them, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from concurrent.futures import Executor

from morphml.engines.port import EngineEvent
from morphml.engines.remote.hub.commands import AskRecords
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.messages import AttemptName
from morphml.errors import StoreUnavailable
from morphml.ids import AttemptToken, ExperimentId

_LOG = logging.getLogger(__name__)

#: Seconds after which what the records could not do is tried again.
_AGAIN_S = 1.0


class Clerk:
    """Speaks with the records, for as long as the event loop runs.

    Args:
        switchboard: says what is to be asked and told.
        records: of the master.
        pool: threads for calls that wait.
    """

    def __init__(self, switchboard: Switchboard, records: Records, pool: Executor) -> None:
        self._switchboard = switchboard
        self._records = records
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()
        self._posting: set[ExperimentId] = set()

    def ask(self, question: AskRecords) -> None:
        """Find out whose these attempts are, and tell the book."""
        self._start(self._ask(question, self._switchboard.book.ledger.era))

    def post(self, experiment: ExperimentId) -> None:
        """Pass on what happened in an experiment without a lane."""
        if experiment not in self._posting:
            self._posting.add(experiment)
            self._start(self._post(experiment))

    def stop(self) -> None:
        """Begin nothing more, and end what waits."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- questions -------------------------------------------------------------------------------

    async def _ask(self, question: AskRecords, era: int) -> None:
        loop = asyncio.get_running_loop()
        while era == self._switchboard.book.ledger.era:
            try:
                stored, adopted = await loop.run_in_executor(self._pool, self._look, question.names)
            except Exception as error:  # noqa: BLE001  # whatever it is, the worker still has them
                _complain("the records could not say whose some attempts are", error)
                await asyncio.sleep(_AGAIN_S)
                continue
            self._answer(question, era, stored, adopted)
            return

    def _answer(
        self,
        question: AskRecords,
        era: int,
        stored: frozenset[AttemptToken],
        adopted: frozenset[AttemptToken],
    ) -> None:
        worker, names = question.worker, question.names
        with self._switchboard.lock:
            if era == self._switchboard.book.ledger.era:
                self._switchboard.act(
                    lambda book, now: book.workers.resolve(worker, names, stored, adopted, now)
                )

    def _look(
        self, names: Sequence[AttemptName]
    ) -> tuple[frozenset[AttemptToken], frozenset[AttemptToken]]:
        stored = frozenset(self._records.ended(names))
        rest = [name for name in names if name.token not in stored]
        return stored, frozenset(self._records.adopt(rest) if rest else ())

    # --- news ------------------------------------------------------------------------------------

    async def _post(self, experiment: ExperimentId) -> None:
        loop = asyncio.get_running_loop()
        try:
            while news := self._switchboard.act(
                lambda book, _: book.drivers.collect_elsewhere(experiment)
            ):
                while news:
                    done = await loop.run_in_executor(self._pool, self._tell, experiment, news)
                    news = news[done:]
                    if news:
                        await asyncio.sleep(_AGAIN_S)
        finally:
            self._posting.discard(experiment)

    def _tell(
        self, experiment: ExperimentId, news: list[tuple[AttemptName, list[EngineEvent]]]
    ) -> int:
        """Pass on as much as goes; how many attempts that were."""
        for done, (name, events) in enumerate(news):
            try:
                self._records.elsewhere(experiment, events, name)
            except Exception as error:  # noqa: BLE001  # whatever it is, the events are still here
                _complain(f"events of experiment {experiment} cannot be passed on", error)
                return done
        return len(news)


def _complain(what: str, error: Exception) -> None:
    """Log what is tried again; a store that is away is no mistake whose place is to be found."""
    if isinstance(error, StoreUnavailable):
        _LOG.warning("%s: %s; again soon", what, error)
    else:
        _LOG.error("%s; again soon", what, exc_info=error)
