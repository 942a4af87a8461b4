"""What a model has against a document, told with line and column."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from morphml.documents.located import Document, Path, Place
from morphml.errors import DocumentError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a document."""

    place: Place
    what: str
    #: The nearest allowed word, or None.
    suggestion: str | None = None


def validated(model: type[Model], document: Document) -> Model:
    """The document as a model.

    Raises:
        DocumentError: with the place of the first mistake, and all mistakes in the message.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        mistakes = [_mistake(each, document, model) for each in error.errors(include_url=False)]
        raise refusal(mistakes, document) from error


def refusal(mistakes: Sequence[Mistake], document: Document) -> DocumentError:
    """The error that tells all ``mistakes`` in the order of the file; the caller raises it."""
    ordered = sorted(mistakes, key=lambda each: (each.place.line, each.place.column))
    lines = [f"line {m.place.line}, column {m.place.column}: {m.what}" for m in ordered]
    if len(lines) == 1:
        message = f"{document.source}, {lines[0]}"
    else:
        message = "\n  ".join([f"{document.source} has {len(lines)} mistakes:", *lines])
    return DocumentError(
        message,
        source=document.source,
        line=ordered[0].place.line,
        column=ordered[0].place.column,
        suggestion=ordered[0].suggestion,
    )


def _mistake(details: ErrorDetails, document: Document, model: type[BaseModel]) -> Mistake:
    path = _path_in_file(details["loc"], document)
    if details["type"] == "missing":
        missing = details["loc"][-1]
        return Mistake(place=document.values[path], what=f"the key {missing!r} is missing")
    if details["type"] == "extra_forbidden":
        return _unknown_key(path, document, model)
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    got = details["input"]
    if details["type"] != "value_error" and isinstance(got, bool | int | float | str | None):
        message = f"{message}, got {got!r}"
    where = ".".join(map(str, path))
    return Mistake(place=document.values[path], what=f"{where}: {message}" if where else message)


def _unknown_key(path: Path, document: Document, model: type[BaseModel]) -> Mistake:
    known = _keys_at(path, model)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
    return Mistake(
        place=document.keys.get(path, document.values[path]),
        what=f"unknown key {path[-1]!r}{hint}",
        suggestion=near[0] if near else None,
    )


def _path_in_file(location: tuple[int | str, ...], document: Document) -> Path:
    """The longest path of the file along ``location``, which also names union members."""
    path: Path = ()
    for part in location:
        if (*path, part) in document.values:
            path = (*path, part)
    return path


def _keys_at(path: Path, model: type[BaseModel]) -> list[str]:
    """The keys that stand where the last one of ``path`` does, as people write them."""
    for part in path[:-1]:
        if isinstance(part, str):
            model = _model_below(model, part)
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_below(model: type[BaseModel], key: str) -> type[BaseModel]:
    """The model that ``key`` holds, alone or in a list; ``model`` itself where it holds none."""
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            for each in (field.annotation, *get_args(field.annotation)):
                if isinstance(each, type) and issubclass(each, BaseModel):
                    return each
    return model
