"""Commands that the pages show are commands: no name or option of them is unknown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from morphml.cli.app import command_of
from morphml.cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    ROOT / "README.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
CODE = re.compile(r"^```\w*\n(.*?)^```|(`morphml [^`]+`)", re.MULTILINE | re.DOTALL)
#: What stands behind a command in the background.
BEHIND = "&"


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    return {entry.name: command_of(entry) for entry in COMMANDS}


def shown(text: str) -> Iterator[list[str]]:
    """The words behind ``morphml`` in all lines and pieces of code that begin with it."""
    for block, piece in CODE.findall(text):
        for line in (block or piece.strip("`")).replace("\\\n", " ").splitlines():
            if line.lstrip().startswith("morphml "):
                yield shlex.split(line, comments=True)[1:]


def parse(command: Any, words: list[str]) -> None:
    context = command.make_context(command.name, [], resilient_parsing=True)
    inner = getattr(command, "commands", {})
    if inner and words and not words[0].startswith("-"):
        assert words[0] in inner, f"{command.name} {words[0]}"
        parse(inner[words[0]], words[1:])
    else:
        command.make_parser(context).parse_args(words)


def test_commands_on_the_pages_exist(commands: dict[str, Any]) -> None:
    count = 0
    for page in PAGES:
        for words in shown(page.read_text(encoding="utf-8")):
            print(page.name, words)  # whom a failure is about
            if not words[0].startswith("-"):
                parse(commands[words[0]], [word for word in words[1:] if word != BEHIND])
                count += 1
    assert count > 100, count
