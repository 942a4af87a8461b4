"""What was answered to requests under a key, so that a request sent again is carried out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from morphml.optimizers.events import JSON
from morphml.storage.database import Database, Values, again
from morphml.storage.sessions import database_time
from morphml.storage.statements import knowledge_rows
from morphml.storage.states import Topic

#: Seconds for which an answer is kept.
KEPT_S = 86_400.0
#: Seconds after which a request without an answer is taken for lost with its server.
LOST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """A request that came before."""

    #: Digest of what was asked.
    asked: str
    #: None while it is under way.
    answer: Mapping[str, JSON] | None


class Answers:
    """Keeps answers by key; may be used from several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, asked: str) -> KnownRequest | None:
        """Begin to answer; or the request that came before under this key.

        Args:
            key: of the request.
            asked: digest of what is asked.
        """
        return again(lambda: self._begin(key, asked))

    def end(self, key: str, answer: Mapping[str, JSON]) -> None:
        """Keep the answer of a request that was begun here."""
        with self._database.writing() as run:
            row = run.row(knowledge_rows.knowledge_of, _row(key))
            asked = "" if row is None else orjson.loads(row[0])["asked"]
            values = {**_row(key), "p_value": _text(asked, answer), "p_now": database_time(run)}
            run.run(knowledge_rows.set_knowledge, values)

    def forget(self, key: str) -> None:
        """Let the request be made again: this one was not carried out."""
        with self._database.writing() as run:
            run.run(knowledge_rows.drop_knowledge, _row(key))

    def _begin(self, key: str, asked: str) -> KnownRequest | None:
        with self._database.writing() as run:
            now = database_time(run)
            old: Values = {"p_topic": Topic.ANSWER, "p_before": now - KEPT_S}
            run.run(knowledge_rows.drop_old_knowledge, old)
            values: Values = {**_row(key), "p_value": _text(asked, None), "p_now": now}
            if run.run(knowledge_rows.add_knowledge, values):
                return None
            row = run.row(knowledge_rows.dated_knowledge_of, _row(key))
            assert row is not None, "what is there already is not added"
            known = orjson.loads(row[0])
            if known["answer"] is None and row[1] < now - LOST_S:
                run.run(knowledge_rows.set_knowledge, values)
                return None
        return KnownRequest(asked=known["asked"], answer=known["answer"])


def _row(key: str) -> Values:
    return {"p_topic": Topic.ANSWER, "p_key": key}


def _text(asked: str, answer: Mapping[str, JSON] | None) -> str:
    shown = None if answer is None else dict(answer)
    return orjson.dumps({"asked": asked, "answer": shown}).decode()
