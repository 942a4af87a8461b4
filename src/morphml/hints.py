"""What somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

#: Names may come from strangers: so many are compared at most, and so many listed.
_MOST_COMPARED, _MOST_LISTED = 500, 30


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The most similar of the first 500 ``known`` names, or None where none is similar."""
    close = difflib.get_close_matches(word, list(islice(known, _MOST_COMPARED)), n=1)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message, such as ``; did you mean 'conv2d'?``; "" where no name is similar."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean {near!r}?"


def meant_or_known(word: str, known: Iterable[str]) -> str:
    """The end of a message: the most similar name, or all that there are, cut after thirty."""
    names = sorted(known)
    if not names:
        return "; there are none"
    more = ", ..." if len(names) > _MOST_LISTED else ""
    return did_you_mean(word, names) or f"; choose from {', '.join(names[:_MOST_LISTED])}{more}"
