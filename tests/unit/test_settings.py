"""Settings come from the variables that they are handed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from morphml.errors import CallerError
from morphml.settings import read_settings


def test_grace_of_a_stop_is_half_a_minute_unless_it_is_set() -> None:
    assert read_settings({}).search.stop_grace_s == 30.0
    assert read_settings({"MORPHML_STOP_GRACE": "0.5"}).search.stop_grace_s == 0.5


@pytest.mark.parametrize("word", ["", "soon", "-1", "nan"])
def test_grace_that_is_no_time_is_refused(word: str) -> None:
    with pytest.raises(CallerError, match="MORPHML_STOP_GRACE: expected a number of seconds"):
        read_settings({"MORPHML_STOP_GRACE": word})


def test_caches_are_where_they_are_named_else_in_the_users_cache() -> None:
    found = read_settings({"XDG_CACHE_HOME": "/c", "MORPHML_DATA_CACHE": "/d"})
    assert (str(found.data.cache), str(found.worker.folder)) == ("/d", "/c/morphml/worker")


def test_page_of_settings_has_every_variable_that_is_read() -> None:
    root = Path(__file__).resolve().parents[2]
    read = set(re.findall(r'"(MORPHML_[A-Z_]+)"', (root / "src/morphml/settings.py").read_text()))
    page = (root / "docs" / "distributed" / "settings.md").read_text()
    assert len(read) >= 11
    assert {name for name in read if f"| `{name}` |" not in page} == set()
