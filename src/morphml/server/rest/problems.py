"""Errors as RFC 9457 problem documents: what is wrong, where, and whether to try again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from morphml.errors import (
    AccessError,
    CallerError,
    DocumentError,
    ExperimentError,
    IllegalTransition,
    KeyReused,
    MissingExtraError,
    MorphError,
    QueueDrained,
    StorageError,
    StoreInUse,
    TextFormError,
    TokenRefused,
    UnknownExecution,
    UnknownExperiment,
    UnknownWorker,
    WorkflowError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: Most mistakes of one request that are told.
MOST_TOLD = 50
#: Seconds after which a store that was away is asked again.
AGAIN_S = 1


class Mistake(BaseModel):
    """One thing that is wrong in a request."""

    #: JSON pointer (RFC 6901) into the body, or ``query/limit`` and the like.
    pointer: str
    #: For people; a whole clause.
    detail: str


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    #: Names the kind of problem; `urn:morphml:problem:` and a word.
    type: str
    #: The kind in words.
    title: str
    status: int
    #: This very case: the rule, the value got, where, what to do.
    detail: str
    #: The path that was asked.
    instance: str = ""
    #: Whether the same request may succeed later.
    retryable: bool = False
    errors: list[Mistake] = []


class Refused(Exception):
    """A request that is answered with a problem.

    Attributes:
        status: of the answer.
        kind: last word of the problem's type.
        headers: of the answer.
    """

    def __init__(
        self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.headers = dict(headers or {})


@contextmanager
def conflicts() -> Iterator[None]:
    """Within it a state that does not allow what is asked is a conflict, not a mistake."""
    try:
        yield
    except (UnknownExecution, UnknownExperiment):
        raise
    except (ExperimentError, IllegalTransition, WorkflowError, StoreInUse) as error:
        raise Refused(409, "conflict", str(error)) from error


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as a response."""
    return JSONResponse(
        problem.model_dump(exclude_defaults=False),
        status_code=problem.status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def problem_of(
    status: int,
    kind: str,
    detail: str,
    *,
    instance: str = "",
    errors: Sequence[Mistake] = (),
) -> Problem:
    """A problem of that kind."""
    return Problem(
        type=f"urn:morphml:problem:{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        retryable=status in (429, 503),
        errors=list(errors)[:MOST_TOLD],
    )


def add_handlers(app: FastAPI) -> None:
    """Have every error of the application answered with a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(MorphError, _of_morphml)
    app.add_exception_handler(Exception, _unexpected)


#: First match counts. Status and kind by class of error.
_BY_CLASS: tuple[tuple[type[Exception], int, str], ...] = (
    (UnknownExecution, 404, "unknown-execution"),
    (UnknownExperiment, 404, "unknown-experiment"),
    (UnknownWorker, 404, "unknown-worker"),
    (QueueDrained, 409, "drained"),
    (KeyReused, 422, "key-reused"),
    (WorkflowError, 422, "invalid-workflow"),
    (DocumentError, 422, "invalid-document"),
    (TextFormError, 422, "invalid-space"),
    (AccessError, 403, "forbidden"),
    (MissingExtraError, 501, "not-installed"),
    (CallerError, 422, "invalid-request"),
    (TokenRefused, 409, "token-refused"),
    (StoreInUse, 409, "conflict"),
    (StorageError, 503, "store-unavailable"),
    (MorphError, 500, "fault"),
)


def _of_morphml(request: Request, error: Exception) -> JSONResponse:
    status, kind = next(
        (status, kind) for each, status, kind in _BY_CLASS if isinstance(error, each)
    )
    problem = problem_of(
        status, kind, str(error), instance=request.url.path, errors=list(mistakes_of(error))
    )
    return answer(problem, {"Retry-After": str(AGAIN_S)} if status == 503 else None)


def mistakes_of(error: Exception) -> Iterable[Mistake]:
    """The places of the mistakes that ``error`` knows."""
    if isinstance(error, WorkflowError):
        for path, what in error.mistakes:
            yield Mistake(pointer=pointer(path), detail=what)
    elif isinstance(error, DocumentError | TextFormError):
        yield Mistake(pointer=f"line {error.line}, column {error.column}", detail=str(error))


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path of keys and indices."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    problem = problem_of(error.status, error.kind, str(error), instance=request.url.path)
    return answer(problem, error.headers)


#: Kinds that are not called as their status is.
_KINDS = {413: "too-large"}


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    words = HTTPStatus(error.status_code).phrase
    kind = _KINDS.get(error.status_code) or words.lower().replace(" ", "-")
    problem = problem_of(
        error.status_code, kind, str(error.detail or words), instance=request.url.path
    )
    allowed = _allowed(request) if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else {}
    return answer(problem, {**(error.headers or {}), **allowed})


def _allowed(request: Request) -> dict[str, str]:
    """All methods of a path; routing itself tells those of the first route alone."""
    routes: Iterable[APIRoute] = request.app.state.routes
    path = request.url.path
    methods = {
        method for each in routes if each.path_regex.match(path) for method in each.methods or ()
    }
    return {"Allow": ", ".join(sorted(methods))} if methods else {}


def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [_mistake(each) for each in error.errors()[:MOST_TOLD]]
    detail = "; ".join(f"{each.pointer or 'body'}: {each.detail}" for each in found)
    problem = problem_of(422, "invalid-request", detail, instance=request.url.path, errors=found)
    return answer(problem)


def _mistake(details: Mapping[str, object]) -> Mistake:
    place = details["loc"]
    assert isinstance(place, tuple)
    where, *path = place
    if details["type"] == "json_invalid":
        return Mistake(pointer="", detail=f"the body is no JSON, at byte {path[0]}")
    at = pointer(path) if where == "body" else "/".join(map(str, place))
    return Mistake(pointer=at, detail=str(details["msg"]))


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: told to the log, and to the caller that it was one."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = "MorphML failed at this request; the log of the server has the details"
    return answer(problem_of(500, "fault", detail, instance=request.url.path))
