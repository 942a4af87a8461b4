"""The workflow's JSON schema, for editors and other programs."""

from __future__ import annotations

import json

from pydantic.json_schema import GenerateJsonSchema

from morphml.workflow.document import WorkflowDocument


def workflow_schema() -> str:
    """The JSON schema (draft 2020-12) of a workflow, as the text of docs/schema."""
    schema = WorkflowDocument.model_json_schema(mode="validation")
    document = {"$schema": GenerateJsonSchema.schema_dialect, **schema}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
