"""The doctor tells what works, what works with less, and what stops a search."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from morphml.cli.health import (
    EXTRAS,
    Verdict,
    extra_checks,
    folder_check,
    memory_check,
    python_check,
    sqlite_check,
)

PYPROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def test_old_python_and_old_sqlite_are_faults_with_a_remedy() -> None:
    for check in (python_check((3, 10, 9)), sqlite_check((3, 34, 0))):
        assert check.verdict is Verdict.FAULT
        assert check.remedy
    assert python_check((3, 11, 0)).verdict is Verdict.OK
    assert sqlite_check((3, 35, 0)).verdict is Verdict.OK


def test_little_memory_is_a_note() -> None:
    assert memory_check(10**9).verdict is Verdict.NOTE
    assert memory_check(10**10).verdict is Verdict.OK


def test_writable_folder_is_ok_and_left_as_it_was(tmp_path: Path) -> None:
    assert folder_check(tmp_path).verdict is not Verdict.FAULT
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_a_fault_that_names_it(tmp_path: Path) -> None:
    check = folder_check(tmp_path / "absent")
    assert check.verdict is Verdict.FAULT
    assert "absent" in check.found


def test_missing_extras_say_how_to_get_them() -> None:
    there, absent = extra_checks({"a": ("json",), "b": ("json", "no_such_module")})
    assert there.verdict is Verdict.OK
    assert absent.verdict is Verdict.NOTE
    assert absent.found == "not installed: no_such_module"
    assert absent.remedy == "pip install 'morphml[b]'"


def alike(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_extra_is_looked_for_with_all_that_it_brings() -> None:
    """An extra without modules of its own is a collection of others."""
    offered = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = offered["optional-dependencies"]
    found = packages_distributions()
    for extra in extras.keys() - {"all", "demo", "dev"}:
        wanted = {alike(re.split(r"[\[<>=]", each)[0]) for each in extras[extra]} - {"morphml"}
        roots = [module.partition(".")[0] for module in EXTRAS[extra]]
        brought = {alike(name) for root in roots for name in found.get(root, [root])}
        assert wanted - brought == set(), extra
    assert set(EXTRAS) == extras.keys() - {"all", "demo", "dev"}
