"""The outermost frame of every command: no traceback reaches a person who did not ask for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from morphml.cli.exit_codes import ExitCode, exit_code_of


@contextmanager
def guard(context: typer.Context, *, as_json: bool, resume: str = "") -> Iterator[None]:
    """Turn whatever is raised within into one screen, or one JSON document, and an exit status.

    Args:
        context: of the command; ``--debug`` is read from its top.
        as_json: whether a program reads the output.
        resume: the command that goes on after Ctrl-C, or empty.

    Raises:
        typer.Exit: instead of the error.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt as error:
        hint = f" Go on with: {resume}" if resume else ""
        _say(f"Stopped; everything finished so far is stored.{hint}")
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    except Exception as error:
        if wants_traceback(context):
            raise
        # rich is imported when something is to be shown: a worker keeps it for all its life.
        from morphml.cli.failures import show_failure  # noqa: PLC0415

        show_failure(error, as_json=as_json)
        raise typer.Exit(exit_code_of(error)) from error


def _say(text: str) -> None:
    from morphml.cli.screen import messages  # noqa: PLC0415  # as above

    messages().print(text, markup=False)


def wants_traceback(context: typer.Context) -> bool:
    """Whether the command was given ``--debug``."""
    return bool(context.find_root().params.get("debug"))
