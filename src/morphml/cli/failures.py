"""An error as one screen: what is wrong, and what to do; a traceback only when asked for."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from morphml.cli.exit_codes import ExitCode, exit_code_of
from morphml.cli.screen import messages, write_json

#: Longer messages are cut, so that the screen still shows their beginning.
MOST_LINES = 24

_TITLES = {
    ExitCode.USAGE: "This cannot work as given",
    ExitCode.STORAGE: "The store could not do it",
    ExitCode.FAILED: "It did not work",
    ExitCode.INTERNAL: "A fault of MorphML",
}


def render_failure(error: BaseException) -> RenderableType:
    """``error`` as a panel of at most 30 lines; its text is never read as markup."""
    code = exit_code_of(error)
    message = str(error) or type(error).__name__
    lines = message.splitlines()
    if len(lines) > MOST_LINES:
        rest = len(lines) - MOST_LINES
        lines = [*lines[:MOST_LINES], f"... {rest} more lines; --debug shows all"]
    if code is ExitCode.INTERNAL:
        lines[0] = f"{type(error).__name__}: {lines[0]}"
    parts = [Text("\n".join(lines)), *[Text(hint, style="dim") for hint in _hints(error, code)]]
    return Panel(
        Group(*parts), title=_TITLES[code], title_align="left", border_style="red", expand=False
    )


def show_failure(error: BaseException, *, as_json: bool) -> None:
    """Write the error to standard error, for people; or to standard output, for programs."""
    if as_json:
        write_json(failure_document(error))
    else:
        messages().print(render_failure(error))


def failure_document(error: BaseException) -> dict[str, object]:
    """``error`` as a JSON object for programs."""
    return {
        "error": str(error) or type(error).__name__,
        "type": type(error).__name__,
        "exit_code": int(exit_code_of(error)),
        "retryable": bool(getattr(error, "retryable", False)),
    }


def _hints(error: BaseException, code: ExitCode) -> list[str]:
    hints = []
    if getattr(error, "retryable", False):
        hints.append("The same command may work later.")
    if code is ExitCode.INTERNAL:
        hints.append("Run it again with `morphml --debug ...` and report the traceback.")
    return hints
