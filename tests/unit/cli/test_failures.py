"""Errors fit one screen, say whose fault they are, and end with a status that says it too."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from morphml.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from morphml.cli.failures import failure_document, render_failure
from morphml.errors import (
    ExperimentError,
    MorphError,
    StoreInUse,
    StoreUnavailable,
    WorkerError,
)


def shown(error: BaseException) -> str:
    console = Console(file=StringIO(), width=80)
    console.print(render_failure(error))
    return console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO from above


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ExperimentError("x"), ExitCode.USAGE),
        (StoreInUse("x"), ExitCode.STORAGE),
        (WorkerError("x"), ExitCode.FAILED),
        (MorphError("x"), ExitCode.FAILED),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (ZeroDivisionError("x"), ExitCode.INTERNAL),
    ],
)
def test_exit_status_says_whose_fault_it_is(error: BaseException, code: ExitCode) -> None:
    assert exit_code_of(error) is code


def test_every_status_is_explained() -> None:
    assert set(MEANINGS) == set(ExitCode)


def test_failure_fits_one_screen_however_long_its_message() -> None:
    text = shown(ExperimentError("\n".join(f"line {i}" for i in range(500))))
    assert len(text.splitlines()) <= 30
    assert "line 0" in text
    assert "476 more lines" in text


def test_failure_text_is_never_read_as_markup() -> None:
    assert "[bold]x[/bold]" in shown(ExperimentError("[bold]x[/bold]"))


def test_retryable_failures_say_so() -> None:
    assert "may work later" in shown(StoreUnavailable("the disk is full"))
    assert failure_document(StoreUnavailable("full"))["retryable"] is True


def test_a_fault_of_ours_names_its_type_and_asks_for_the_traceback() -> None:
    text = shown(ZeroDivisionError("division by zero"))
    assert "ZeroDivisionError: division by zero" in text
    assert "--debug" in text


def test_an_error_without_a_message_is_named_by_its_type() -> None:
    assert "ExperimentError" in shown(ExperimentError(""))
