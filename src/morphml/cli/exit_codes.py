"""What the exit status of ``morphml`` says; stable, for scripts."""

from __future__ import annotations

from enum import IntEnum

from morphml.errors import CallerError, MorphError, StorageError, UnknownWorker


class ExitCode(IntEnum):
    """Exit status of every command."""

    #: The command did what was asked.
    OK = 0
    #: A check found something (``replay --check``, ``doctor``), or a search ended without a result.
    FAILED = 1
    #: The call, the file, the space or the evaluator is wrong; repeating it will not help.
    USAGE = 2
    #: The store is missing, busy, full, of another version, or not ours.
    STORAGE = 3
    #: A fault of MorphML itself; ``--debug`` shows the traceback.
    INTERNAL = 70
    #: Stopped by Ctrl-C or SIGTERM; what was done is stored and ``morphml resume`` goes on.
    INTERRUPTED = 130


#: One line per status, for ``morphml --help``.
MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "a check found something, or no trial has a result",
    ExitCode.USAGE: "the call or a file is wrong",
    ExitCode.STORAGE: "the store is missing, busy, full or not ours",
    ExitCode.INTERNAL: "a fault of MorphML",
    ExitCode.INTERRUPTED: "stopped; `morphml resume` goes on",
}


def exit_code_of(error: BaseException) -> ExitCode:
    """The status that says whose fault ``error`` is."""
    match error:
        case CallerError() | UnknownWorker():
            return ExitCode.USAGE
        case StorageError():
            return ExitCode.STORAGE
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case MorphError():
            return ExitCode.FAILED
        case _:
            return ExitCode.INTERNAL
