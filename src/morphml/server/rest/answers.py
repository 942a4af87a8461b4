"""Idempotency keys: what was answered to a request is answered again when it is sent again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import orjson
from fastapi import Header

from morphml.ids import digest
from morphml.optimizers.events import JSON
from morphml.server.rest.problems import Refused
from morphml.storage import SqlStore

#: What a client sends again with a request that it does not know the answer of.
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="A text of the client's own: the same request under the same key is carried "
        "out once.",
    ),
]


class Answers:
    """Keeps answers by key for a day; may be used from several threads and servers.

    Args:
        store: has them.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def once(
        self, key: str | None, request: Mapping[str, JSON], act: Callable[[], Mapping[str, JSON]]
    ) -> Mapping[str, JSON]:
        """What ``act`` returns, or returned when it was asked for under this key before.

        A request that failed may be sent again under its key. One whose server died half way can be
        sent again after a minute.

        Args:
            key: None for none.
            request: what is asked, operation included.
            act: carries it out.

        Raises:
            Refused: the key was used for another request, or that one is under way.
        """
        if key is None:
            return act()
        asked = digest(orjson.dumps(dict(request), option=orjson.OPT_SORT_KEYS))
        name = digest(key.encode())
        known = self._store.answers.begin(name, asked)
        if known is None:
            return self._act(name, act)
        if known.asked != asked:
            raise Refused(422, "key-reused", "this Idempotency-Key was used for another request")
        if known.answer is None:
            detail = "the request with this Idempotency-Key is under way"
            raise Refused(409, "under-way", detail, {"Retry-After": "1"})
        return known.answer

    def _act(self, name: str, act: Callable[[], Mapping[str, JSON]]) -> Mapping[str, JSON]:
        try:
            done = act()
        except BaseException:
            self._store.answers.forget(name)
            raise
        self._store.answers.end(name, done)
        return done
