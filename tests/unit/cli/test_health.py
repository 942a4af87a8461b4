"""The doctor tells what works, what works with less, and what stops a search."""

from __future__ import annotations

from pathlib import Path

from morphml.cli.health import (
    Verdict,
    extra_checks,
    folder_check,
    memory_check,
    python_check,
    sqlite_check,
)


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
