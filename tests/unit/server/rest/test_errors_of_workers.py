"""What workers over REST say of failures."""

from __future__ import annotations

from morphml.engines.port import Failed
from morphml.server.rest.leasing import ResultBody


def test_error_has_nothing_that_a_database_does_not_take() -> None:
    body = ResultBody.model_validate(
        {
            "taskId": "x1-0-0",
            "attemptId": "a" * 32,
            "status": "failed",
            "error": {"type": "Bad\0\nError", "message": "a\0b\nc", "traceback": "t\0"},
        }
    )
    outcome = body.outcome()
    assert isinstance(outcome, Failed)
    no = "\N{REPLACEMENT CHARACTER}"
    assert outcome.error_type == f"Bad{no}{no}Error"
    assert (outcome.message, outcome.traceback) == (f"a{no}b\nc", f"t{no}")
