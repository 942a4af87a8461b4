"""A set that forgets what was put in first."""

from __future__ import annotations

from collections import deque

from morphml.ids import AttemptToken


class RecentTokens:
    """The last tokens that were put in.

    Args:
        most: how many are remembered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._order: deque[AttemptToken] = deque()
        self._tokens: set[AttemptToken] = set()

    def __contains__(self, token: object) -> bool:
        """Whether the token was put in not long ago."""
        return token in self._tokens

    def add(self, token: AttemptToken) -> None:
        """Remember a token."""
        if token in self._tokens:
            return
        self._tokens.add(token)
        self._order.append(token)
        if len(self._order) > self._most:
            self._tokens.discard(self._order.popleft())

    def discard(self, token: AttemptToken) -> None:
        """Forget a token; it keeps its place in the order."""
        self._tokens.discard(token)

    def clear(self) -> None:
        """Forget all."""
        self._order.clear()
        self._tokens.clear()
