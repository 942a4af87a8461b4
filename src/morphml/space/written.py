"""Spaces as text and JSON: the mixin that reads back what `repr` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from morphml.errors import SpaceError

if TYPE_CHECKING:
    from morphml.space.search_space import SearchSpace

#: Version of the JSON form.
_FORMAT = 1


class WrittenSpace:
    """Abstract: the text and JSON forms of a space; it has no state."""

    __slots__ = ()

    def to_text(self) -> str:
        """The space as text that `from_text` reads back; the same as ``repr``."""
        return repr(self)

    @staticmethod
    def from_text(text: str) -> SearchSpace:
        """The space that a text describes; nothing in it is executed.

        Raises:
            TextFormError: with line, column and the nearest allowed name.
            SpaceError: what the space itself breaks.
        """
        from morphml.space.text import parse_space  # noqa: PLC0415  (the parser knows spaces)

        return parse_space(text)

    def to_json(self) -> dict[str, object]:
        """The space as plain values that `from_json` reads back."""
        return {"format": _FORMAT, "space": self.to_text()}

    @staticmethod
    def from_json(data: object) -> SearchSpace:
        """The space that `to_json` wrote.

        Raises:
            SpaceError: when ``data`` has another form.
        """
        fields = data if isinstance(data, Mapping) else {}
        text = fields.get("space")
        if fields.get("format") != _FORMAT or not isinstance(text, str):
            raise SpaceError(
                f"a space in JSON is {{'format': {_FORMAT}, 'space': text}}, got {data!r:.80}"
            )
        return WrittenSpace.from_text(text)
