"""What a text may cost, checked by one flat scan before the recursive parser of Python sees it.

``ast.parse`` recurses as deep as the text nests, and answers deep texts with ``RecursionError`` or
``MemoryError``, depending on the Python version and the stack that is left. The scan below bounds
size, number of tokens and height of the syntax tree in one pass that never recurses.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from morphml.errors import TextFormError

#: Largest text, in bytes of UTF-8.
MAX_BYTES = 1_000_000
#: Most tokens (names, numbers, strings, operator characters) in a text.
MAX_TOKENS = 100_000
#: Most brackets open at the same place.
MAX_BRACKETS = 90
#: Most operators, dots and brackets that can stack on each other: bounds the tree's height.
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
#: What stands right before a string with a prefix or with triple quotes.
_GLUED = re.compile(r"[\w'\"]")
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


@dataclass(slots=True)
class _Level:
    """What one open bracket (or the text itself) holds so far, as a bound on its tree's height."""

    bracket: str
    offset: int
    #: Nodes that operators since the last comma can put above the others.
    operators: int = 0
    #: Height of the highest bracket closed since the last comma; a path enters one of them only.
    closed: int = 0
    #: Height of the highest part before the last comma.
    before: int = 0

    @property
    def height(self) -> int:
        return max(self.before, self.operators + self.closed)

    def comma(self) -> None:
        self.before = self.height
        self.operators = self.closed = 0


class _Scan:
    """One pass over a text; keeps what is open, and how high the tree is at each level."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._levels = [_Level("", 0)]

    def run(self) -> None:
        count = 0
        previous = ""
        for match in self._tokens():
            kind = match.lastgroup or ""
            if kind != "space":
                count += 1
                if count > MAX_TOKENS:
                    self._refuse(f"more than {MAX_TOKENS:,} tokens", match.start())
                self._take(kind, match, previous)
                previous = previous if kind == "newline" else kind
        if len(self._levels) > 1:
            last = self._levels[-1]
            self._refuse(f"{last.bracket!r} is never closed", last.offset)

    def _tokens(self) -> Iterator[re.Match[str]]:
        return _TOKEN.finditer(self._text)

    def _take(self, kind: str, match: re.Match[str], previous: str) -> None:
        match kind:
            case "open":
                self._enter(match, previous)
            case "close":
                self._leave(match)
            case "comma":
                self._levels[-1].comma()
            case "newline" if len(self._levels) == 1:
                self._levels[-1].comma()
            case "operator":
                self._operator(match)
            case "word" if match.group() in _FORBIDDEN:
                self._refuse(f"the word {match.group()!r} is not allowed here", match.start())
            case "string" if _GLUED.match(self._text[match.start() - 1 : match.start()]):
                self._refuse(
                    "string prefixes and triple quotes are not read; write 'plain' strings",
                    match.start(),
                )
            case _:
                pass

    def _enter(self, match: re.Match[str], previous: str) -> None:
        if previous == "close":
            # A call of a call, or an index of an index, stands above what it follows.
            self._stack(match)
        self._levels.append(_Level(match.group(), match.start()))
        if len(self._levels) - 1 > MAX_BRACKETS:
            self._refuse(f"more than {MAX_BRACKETS} brackets are open", match.start())

    def _leave(self, match: re.Match[str]) -> None:
        if len(self._levels) == 1:
            self._refuse(f"{match.group()!r} closes nothing", match.start())
        level = self._levels.pop()
        if level.bracket != _CLOSES[match.group()]:
            line, column = place(self._text, level.offset)
            self._refuse(
                f"{match.group()!r} does not close the {level.bracket!r} of line {line}, "
                f"column {column}",
                match.start(),
            )
        outer = self._levels[-1]
        outer.closed = max(outer.closed, level.height + 1)
        self._check_height(match)

    def _operator(self, match: re.Match[str]) -> None:
        if match.group() in "'\"":
            self._refuse("a string is not closed on its line", match.start())
        if match.group() in ";@`$?!\\" and match.group() != "!":
            self._refuse(f"the character {match.group()!r} is not allowed here", match.start())
        self._stack(match)

    def _stack(self, match: re.Match[str]) -> None:
        # Behind a dot a call may follow: two nodes.
        self._levels[-1].operators += 2 if match.group() == "." else 1
        self._check_height(match)

    def _check_height(self, match: re.Match[str]) -> None:
        if self._levels[-1].height > MAX_DEPTH:
            self._refuse(f"expressions nest deeper than {MAX_DEPTH} levels", match.start())

    def _refuse(self, rule: str, offset: int) -> NoReturn:
        line, column = place(self._text, offset)
        raise TextFormError(rule, line=line, column=column)
