"""Log lines: readable, one per event, and nobody's but ours."""

from __future__ import annotations

import json
import logging
import re
import sys

from morphml.cli.logs import JsonFormatter, LineFormatter


def record(text: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    error = None
    if failed:
        try:
            raise ValueError("no such column")
        except ValueError:
            error = sys.exc_info()
    return logging.LogRecord("morphml.x", logging.WARNING, __file__, 1, text, arguments, error)


def test_a_line_has_hour_level_and_text() -> None:
    line = LineFormatter().format(record("worker %s is here", "gpu-1"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning  worker gpu-1 is here", line)


def test_what_others_sent_cannot_begin_a_line_or_move_the_cursor() -> None:
    name = "x\n12:00:00 info     all is well\x1b[2J\r\x9b31m"
    first, second = LineFormatter().format(record("worker %s is here", name)).split("\n")
    assert first.endswith("worker x")
    assert second == "    | 12:00:00 info     all is well\\x1b[2J\\x0d\\x9b31m is here"


def test_a_traceback_is_set_off() -> None:
    lines = LineFormatter().format(record("it ends", failed=True)).split("\n")
    assert lines[0].endswith("it ends")
    assert all(line.startswith("    | ") for line in lines[1:])
    assert lines[-1] == "    | ValueError: no such column"


def test_json_is_one_line_with_everything() -> None:
    line = JsonFormatter().format(record("worker %s\n", "x", failed=True))
    assert "\n" not in line
    document = json.loads(line)
    assert document["message"] == "worker x\n"
    assert document["level"] == "warning"
    assert document["time"].endswith("+00:00")
    assert "ValueError: no such column" in document["traceback"]
