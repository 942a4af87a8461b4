"""The workflow's JSON schema, for editors and other programs."""

from __future__ import annotations

from morphml.documents.fields import schema_text
from morphml.workflow.document import WorkflowDocument


def workflow_schema() -> str:
    """The JSON schema (draft 2020-12) of a workflow, as the text of docs/schema."""
    return schema_text(WorkflowDocument)
