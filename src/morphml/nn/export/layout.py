"""Calls as Python source within a line length."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from morphml.nn.expression import Construct, source

#: Characters in a line of an exported file.
WIDTH = 100


def laid_out(start: str, call: Construct, indent: int, comment: str = "") -> Iterator[str]:
    """Lines of ``start`` followed by the call, one argument per line where it is too long.

    Args:
        start: such as ``self.stem = ``.
        call: what follows.
        indent: spaces before every line.
        comment: put behind a call of one line, before a longer one.
    """
    pad = " " * indent
    whole = f"{pad}{start}{call.text()}"
    if comment and len(whole) + len(comment) + 4 <= WIDTH:
        yield f"{whole}  # {comment}"
        return
    if comment:
        yield f"{pad}# {comment}"
    if len(whole) <= WIDTH:
        yield whole
    else:
        yield from _broken(f"{pad}{start}", call, indent, "")


def _broken(start: str, call: Construct, indent: int, end: str) -> Iterator[str]:
    yield f"{start}{call.short_name}("
    pad = " " * (indent + 4)
    together = f"{pad}{', '.join(call.arguments())}"
    if len(together) <= WIDTH:
        yield together
        yield f"{' ' * indent}){end}"
        return
    labelled = [("", value) for value in call.args]
    labelled += [(f"{name}=", value) for name, value in call.kwargs]
    for label, value in labelled:
        text = f"{pad}{label}{source(value)},"
        if isinstance(value, Construct) and len(text) > WIDTH:
            yield from _broken(f"{pad}{label}", value, indent + 4, ",")
        else:
            yield text
    yield f"{' ' * indent}){end}"


def docstring(text: str, indent: int) -> Iterator[str]:
    """``text`` as a docstring: on one line where it fits."""
    pad = " " * indent
    lines = textwrap.wrap(text, WIDTH - indent - 6) or [""]
    if len(lines) == 1:
        yield f'{pad}"""{lines[0]}"""'
        return
    yield f'{pad}"""{lines[0]}'
    yield from (f"{pad}{line}" for line in lines[1:])
    yield f'{pad}"""'
