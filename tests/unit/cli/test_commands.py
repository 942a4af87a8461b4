"""The table of commands is true to the commands."""

from __future__ import annotations

import inspect
from collections import Counter

import pytest
import typer

from morphml.cli.commands import COMMANDS, Entry


def test_names_are_given_once() -> None:
    assert Counter(entry.name for entry in COMMANDS).most_common(1)[0][1] == 1


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_table_says_what_the_command_says(entry: Entry) -> None:
    loaded = entry.load()
    said = loaded.info.help if isinstance(loaded, typer.Typer) else inspect.getdoc(loaded)
    assert isinstance(said, str)
    assert entry.help == said.splitlines()[0]
    assert entry.examples
    assert all(example.split()[0] == entry.name for example in entry.examples)
