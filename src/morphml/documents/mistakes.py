"""What a model has against data that a person wrote; told by path, or by line and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from morphml import hints
from morphml.documents.located import Document, Path, Place
from morphml.errors import DocumentError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

#: Most mistakes of one document that are told.
MAX_TOLD = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a document."""

    #: Where, by keys and indices from the top.
    path: Path
    #: For people; a whole clause.
    what: str
    #: The key at ``path`` is wrong, not its value.
    at_key: bool = False
    #: The nearest allowed word, or None.
    suggestion: str | None = None


def mistakes_of(error: ValidationError, model: type[BaseModel], data: object) -> list[Mistake]:
    """What ``error``, raised by validating ``data`` as ``model``, has against it, cut at 50."""
    details = error.errors(include_url=False)[:MAX_TOLD]
    return [_mistake(each, model, data) for each in details]


def validated(model: type[Model], document: Document) -> Model:
    """The document as a model.

    Raises:
        DocumentError: with the place of the first mistake, and all mistakes in the message.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise refusal(mistakes_of(error, model, document.data), document) from error


def refusal(mistakes: Iterable[Mistake], document: Document) -> DocumentError:
    """The error that tells ``mistakes``, at least one, in the file's order; the caller raises."""
    placed = [(_place(document, mistake), mistake) for mistake in mistakes]
    placed.sort(key=lambda pair: (pair[0].line, pair[0].column))
    lines = [f"line {place.line}, column {place.column}: {m.what}" for place, m in placed]
    if len(lines) == 1:
        message = f"{document.source}, {lines[0]}"
    else:
        message = "\n  ".join([f"{document.source} has {len(lines)} mistakes:", *lines])
    place, first = placed[0]
    return DocumentError(
        message,
        source=document.source,
        line=place.line,
        column=place.column,
        suggestion=first.suggestion,
    )


def nearest(word: str, known: Sequence[str]) -> tuple[str, str | None]:
    """The end of a sentence about an unknown ``word``, and the known one it may have meant."""
    return hints.meant_or_known(word, known), hints.nearest(word, known)


def _place(document: Document, mistake: Mistake) -> Place:
    places = document.keys if mistake.at_key else document.values
    return places.get(mistake.path) or document.values[mistake.path]


def _mistake(details: ErrorDetails, model: type[BaseModel], data: object) -> Mistake:
    path = _path_in_data(details["loc"], data)
    if details["type"] == "missing":
        return Mistake(path=path, what=f"the key {details['loc'][-1]!r} is missing")
    if details["type"] == "extra_forbidden":
        hint, near = nearest(str(path[-1]), _keys_at(path, model))
        what = f"unknown key {path[-1]!r}{hint}"
        return Mistake(path=path, what=what, at_key=True, suggestion=near)
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    got = details["input"]
    if details["type"] != "value_error" and isinstance(got, bool | int | float | str | None):
        message = f"{message}, got {got!r}"
    where = ".".join(map(str, path))
    return Mistake(path=path, what=f"{where}: {message}" if where else message)


def _path_in_data(location: tuple[int | str, ...], data: object) -> Path:
    """The longest path of the data along ``location``, which also names union members."""
    path: Path = ()
    for part in location:
        match data:
            case dict() if part in data:
                data = data[part]
            case list() if isinstance(part, int) and part < len(data):
                data = data[part]
            case _:
                continue
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
