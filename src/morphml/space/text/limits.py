"""What a text may cost, checked by one flat scan before the recursive parser of Python sees it.

``ast.parse`` recurses as deep as the text nests, and answers deep texts with ``RecursionError`` or
``MemoryError``, depending on the Python version and the stack that is left. The scan below bounds
size, number of tokens and depth of the syntax tree in one pass that never recurses.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import NoReturn

from morphml.errors import TextFormError

#: Largest text, in bytes of UTF-8.
MAX_BYTES = 1_000_000
#: Most tokens (names, numbers, strings, operator characters) in a text.
MAX_TOKENS = 100_000
#: Most brackets open at the same place.
MAX_BRACKETS = 60
#: Most operators, dots and brackets that can stack on each other: bounds the syntax tree's depth.
MAX_DEPTH = 200

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f]+|\\\r?\n|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<string>'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")
      | (?P<word>\w+)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<comma>,)
      | (?P<operator>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
#: Words of Python that no text may hold: each of them can nest without brackets, or runs code.
_FORBIDDEN = frozenset(word for word in keyword.kwlist if word not in ("True", "False", "None"))


def place(text: str, offset: int) -> tuple[int, int]:
    """The 1-based line and column of the character at ``offset``."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def check_limits(text: str) -> None:
    """Refuse a text that is too large, too long, too deep, or has unbalanced brackets or quotes.

    Raises:
        TextFormError: naming the limit and the place where it is passed.

    Cost: one pass over at most ``MAX_TOKENS`` tokens, about 0.1 s at worst.
    """
    size = len(text) if len(text) > MAX_BYTES else len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise TextFormError(
            f"the text has {size:,} bytes, and at most {MAX_BYTES:,} are read",
            line=1,
            column=1,
        )
    _Scan(text).run()


class _Scan:
    """One pass over a text; keeps what is open, and how high operators stack at each level."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[tuple[str, int]] = []
        # Operators since the last comma, for each open bracket; they may all be on one tree path.
        self._stacked = [0]
        self._depth = 0

    def run(self) -> None:
        count = 0
        previous = ""
        for match in self._tokens():
            kind = match.lastgroup or ""
            if kind == "space":
                previous = kind
                continue
            count += 1
            if count > MAX_TOKENS:
                self._refuse(f"more than {MAX_TOKENS:,} tokens", match.start())
            self._take(kind, match, previous)
            previous = kind
        if self._open:
            bracket, offset = self._open[-1]
            self._refuse(f"{bracket!r} is never closed", offset)

    def _tokens(self) -> Iterator[re.Match[str]]:
        return _TOKEN.finditer(self._text)

    def _take(self, kind: str, match: re.Match[str], previous: str) -> None:
        match kind:
            case "open":
                self._enter(match)
            case "close":
                self._leave(match)
            case "comma":
                self._reset()
            case "newline" if not self._open:
                self._reset()
            case "operator":
                self._operator(match)
            case "word" if match.group() in _FORBIDDEN:
                self._refuse(f"the word {match.group()!r} is not allowed here", match.start())
            case "string" if previous in ("word", "string"):
                self._refuse(
                    "string prefixes and triple quotes are not read; write 'plain' strings",
                    match.start(),
                )
            case _:
                pass

    def _enter(self, match: re.Match[str]) -> None:
        self._stack(match)
        self._open.append((match.group(), match.start()))
        self._stacked.append(0)
        if len(self._open) > MAX_BRACKETS:
            self._refuse(f"more than {MAX_BRACKETS} brackets are open", match.start())

    def _leave(self, match: re.Match[str]) -> None:
        if not self._open:
            self._refuse(f"{match.group()!r} closes nothing", match.start())
        bracket, offset = self._open.pop()
        if bracket != _CLOSES[match.group()]:
            line, column = place(self._text, offset)
            self._refuse(
                f"{match.group()!r} does not close the {bracket!r} of line {line}, column {column}",
                match.start(),
            )
        self._depth -= self._stacked.pop()

    def _operator(self, match: re.Match[str]) -> None:
        if match.group() in "'\"":
            self._refuse("a string is not closed on its line", match.start())
        if match.group() in ";@`$?!\\" and match.group() != "!":
            self._refuse(f"the character {match.group()!r} is not allowed here", match.start())
        self._stack(match)

    def _stack(self, match: re.Match[str]) -> None:
        self._stacked[-1] += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"expressions nest deeper than {MAX_DEPTH} levels", match.start())

    def _reset(self) -> None:
        self._depth -= self._stacked[-1]
        self._stacked[-1] = 0

    def _refuse(self, rule: str, offset: int) -> NoReturn:
        line, column = place(self._text, offset)
        raise TextFormError(rule, line=line, column=column)
