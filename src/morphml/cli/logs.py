"""What masters and workers tell while they run: one line per event on standard error."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

#: What could move the cursor, colour the screen, or begin a line of its own.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class LineFormatter(logging.Formatter):
    """``12:30:05 warning  worker left: ...``; what others sent cannot pass for lines of ours."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as lines; all but the first are set off."""
        hour = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        first, *rest = escaped(text).split("\n")
        head = f"{hour} {record.levelname.lower():7}  {first}"
        return "\n".join([head, *(f"    | {line}" for line in rest)])


class JsonFormatter(logging.Formatter):
    """One JSON object per line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


@contextmanager
def shown_log(*, as_json: bool, verbose: bool) -> Iterator[None]:
    """Within it the log of MorphML is shown on standard error.

    Args:
        as_json: one JSON object per line instead of text.
        verbose: details too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else LineFormatter())
    top = logging.getLogger("morphml")
    before = top.level, top.propagate
    top.addHandler(handler)
    top.setLevel(logging.DEBUG if verbose else logging.INFO)
    top.propagate = False
    try:
        yield
    finally:
        top.removeHandler(handler)
        top.setLevel(before[0])
        top.propagate = before[1]


def escaped(text: str) -> str:
    """``text`` with control characters made visible; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
