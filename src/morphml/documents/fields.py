"""What models of documents have in common: durations as people write them, and their schema."""

from __future__ import annotations

import json

from pydantic import BaseModel, BeforeValidator
from pydantic.json_schema import GenerateJsonSchema

from morphml.documents.quantities import parse_duration


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


#: A number of seconds may also be written as a text such as ``10m``.
AS_DURATION = BeforeValidator(_seconds, json_schema_input_type=float | str)


def schema_text(model: type[BaseModel]) -> str:
    """The JSON schema (draft 2020-12) of documents of ``model``, as the text of docs/schema."""
    schema = model.model_json_schema(mode="validation")
    document = {"$schema": GenerateJsonSchema.schema_dialect, **schema}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
